update alert
set measured = %(measured)s, severity = greatest(severity, %(severity)s), last_time = greatest(last_time, %(at)s),
    updated_at = now()
where alert_id = %(alert_id)s
