-- An alert that goes on: its ground, and the epoch among those that saw it (an earlier one dates it back).
update alert a
set geom = st_geomfromwkb(%(geom)s, 4326),
    hectares = %(hectares)s,
    measured = %(measured)s,
    severity = greatest(a.severity, %(severity)s),
    first_epoch_id = case when e.sensing_time < a.first_time then e.epoch_id else a.first_epoch_id end,
    first_time = least(a.first_time, e.sensing_time),
    last_epoch_id = case when e.sensing_time >= a.last_time then e.epoch_id else a.last_epoch_id end,
    last_time = greatest(a.last_time, e.sensing_time),
    updated_at = now()
from epoch e
where a.alert_id = %(alert_id)s and e.epoch_id = %(epoch_id)s
