-- Provisional alerts whose first epoch was superseded, and which this epoch of the same sensing has to speak on.
select a.alert_id, a.state, st_asbinary(a.geom) as geom, r.*
from epoch e
join alert a using (mine_id)
join epoch f on f.epoch_id = a.first_epoch_id
join rule r using (rule_id)
where e.epoch_id = %(epoch_id)s and f.epoch_id <> e.epoch_id and f.superseded_at is not null
  and f.sensing_time = e.sensing_time and a.state = 'provisional'
order by a.alert_id
for update of a
