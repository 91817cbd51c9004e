update alert_event set delivered_at = now() where alert_event_id = any (%(events)s::bigint[]) and delivered_at is null
