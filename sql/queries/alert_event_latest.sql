-- The latest event of an alert.
select max(alert_event_id) as alert_event_id from alert_event where alert_id = %(alert_id)s having count(*) > 0
