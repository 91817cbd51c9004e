-- Those that stand, and those that are closed.
select a.alert_id, m.slug as mine, r.name as rule, a.state, a.severity, a.hectares, a.first_time, a.last_time,
       a.observations, st_asbinary(a.geom) as geom
from alert a
join mine m using (mine_id)
join rule r using (rule_id)
where m.slug = %(mine)s
order by a.first_time, a.alert_id
