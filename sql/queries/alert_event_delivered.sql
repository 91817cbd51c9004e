update alert_event set delivered_at = now() where alert_event_id = %(alert_event_id)s and delivered_at is null
