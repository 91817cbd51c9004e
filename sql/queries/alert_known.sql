-- Alerts of a rule that a match of this epoch may belong to: those that stand, unless it lies further before their first
-- detection than an alert lives; closed ones that have seen it; what a person resolved as long as it lasts; closed ones in
-- their cool-down.
select a.alert_id, a.state, a.severity, a.hectares, a.measured, a.first_time, a.last_time, st_asbinary(a.geom) as geom,
       a.state in ('provisional', 'confirmed', 'acknowledged') as stands,
       e.sensing_time between a.first_time and a.last_time or a.state = 'resolved' and a.lasts as has_seen
from epoch e
join alert a using (mine_id)
join rule r using (rule_id)
where e.epoch_id = %(epoch_id)s
  and a.rule_id = %(rule_id)s
  and case when a.state in ('provisional', 'confirmed', 'acknowledged')
           then e.sensing_time >= a.first_time - make_interval(days => r.expire_days)
           else e.sensing_time between a.first_time and a.last_time + make_interval(days => r.cooldown_days)
                or a.state = 'resolved' and a.lasts and e.sensing_time >= a.first_time end
order by stands desc, has_seen desc, a.first_time, a.alert_id
for update of a
