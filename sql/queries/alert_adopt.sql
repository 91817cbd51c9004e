update alert
set first_epoch_id = %(epoch_id)s, last_epoch_id = case when last_epoch_id = first_epoch_id then %(epoch_id)s else last_epoch_id end
where alert_id = %(alert_id)s
