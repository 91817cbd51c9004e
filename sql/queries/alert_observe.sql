update alert a
set observations = %(observations)s::smallint[], last_time = e.sensing_time, last_epoch_id = e.epoch_id,
    updated_at = now()
from epoch e
where a.alert_id = %(alert_id)s and e.epoch_id = %(epoch_id)s
