-- What later epochs say of an alert, once those that came late are counted in their place.
update alert
set observations = %(observations)s::smallint[], last_time = %(last_time)s, last_epoch_id = %(last_epoch_id)s,
    updated_at = now()
where alert_id = %(alert_id)s
