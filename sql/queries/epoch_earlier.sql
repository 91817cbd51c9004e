-- A page of the current epochs of the same mine before this one, seen and judged the same way, latest first.
select p.*
from epoch e
join epoch p using (mine_id, sensor_set, orbit_direction, model, model_checksum)
where e.epoch_id = %(epoch_id)s
  and p.superseded_at is null
  and p.sensing_time < e.sensing_time
order by p.sensing_time desc, p.epoch_id desc
limit %(page)s offset %(skip)s
