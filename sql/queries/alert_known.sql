-- Alerts of a rule that a match of this epoch may belong to: those that stand, and closed ones that have already seen
-- this epoch or a later one (a comparison made again must not raise them anew).
select a.alert_id, a.state, a.first_time, a.last_time, st_asbinary(a.geom) as geom
from epoch e
join alert a using (mine_id)
where e.epoch_id = %(epoch_id)s
  and a.rule_id = %(rule_id)s
  and (a.state in ('provisional', 'confirmed', 'acknowledged') or a.last_time >= e.sensing_time)
order by a.state not in ('provisional', 'confirmed', 'acknowledged'), a.alert_id
