-- Alerts of a rule that a match of this epoch may belong to: those that stand; closed ones that have already seen this
-- epoch or a later one (a comparison made again must not raise them anew); closed ones in their cool-down.
select a.alert_id, a.state, a.severity, a.hectares, a.measured, a.first_time, a.last_time, st_asbinary(a.geom) as geom,
       a.state in ('provisional', 'confirmed', 'acknowledged') as stands, a.last_time >= e.sensing_time as has_seen
from epoch e
join alert a using (mine_id)
join rule r using (rule_id)
where e.epoch_id = %(epoch_id)s
  and a.rule_id = %(rule_id)s
  and (a.state in ('provisional', 'confirmed', 'acknowledged')
       or a.last_time >= e.sensing_time - make_interval(days => r.cooldown_days))
order by stands desc, has_seen desc, a.alert_id
