-- Alerts on which later epochs than this one have spoken, and no person has.
select a.alert_id, a.state, a.first_time, a.last_time, a.first_epoch_id, a.last_epoch_id, st_asbinary(a.geom) as geom, r.*
from epoch e
join alert a using (mine_id)
join rule r using (rule_id)
where e.epoch_id = %(epoch_id)s
  and a.first_epoch_id is not null
  and a.first_time <= e.sensing_time
  and a.last_time > e.sensing_time
  and not exists (select from alert_event v where v.alert_id = a.alert_id and v.actor <> 'minecam')
order by a.alert_id
for update of a
