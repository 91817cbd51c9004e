-- Epochs to compare, in order of sensing: those not compared yet, those behind which an epoch came in late, and those
-- compared with an epoch that was superseded since: what is held against a superseded epoch never is as it should be.
-- With `rerun`, those of the range that are compared too.
select e.*
from epoch e
left join comparison k on k.epoch_id = e.epoch_id and k.superseded_at is null
where e.mine_id = %(mine_id)s
  and e.sensor_set = %(sensor_set)s
  and e.model = %(model)s
  and e.superseded_at is null
  and (k.comparison_id is null
       or exists (
            select from epoch p
            where p.mine_id = e.mine_id and p.sensor_set = e.sensor_set and p.orbit_direction = e.orbit_direction
              and p.model = e.model and p.model_checksum = e.model_checksum and p.superseded_at is null
              and p.sensing_time < e.sensing_time and p.created_at > k.checked_at)
       or exists (
            select from epoch p
            where p.epoch_id = any (k.previous_epochs) and p.superseded_at is not null)
       or %(rerun)s
          and (%(start)s::date is null or e.sensing_time::date >= %(start)s)
          and (%(end)s::date is null or e.sensing_time::date <= %(end)s))
order by e.sensing_time, e.epoch_id
