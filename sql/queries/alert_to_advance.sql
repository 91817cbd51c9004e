-- Provisional alerts of the epoch's mine that this epoch may speak on: it was sensed after their latest observation,
-- so that neither a second run nor a late arrival counts twice.
select a.alert_id, a.state, a.first_time, a.observations, st_asbinary(a.geom) as geom, r.*
from epoch e
join alert a using (mine_id)
join rule r using (rule_id)
where e.epoch_id = %(epoch_id)s
  and a.state = 'provisional'
  and a.last_time < e.sensing_time
  and (%(rule_id)s::integer is null or a.rule_id = %(rule_id)s)
order by a.alert_id
for update of a
