-- Alerts with the names of mine and rule; those that stand, or all; of one mine, or of every one and the fleet.
select a.alert_id, m.slug as mine, r.name as rule, a.state, a.severity, a.hectares, a.measured,
       unit(r.measure) as unit, a.first_time, a.last_time, a.observations, st_asbinary(a.geom) as geom
from alert a
join rule r using (rule_id)
left join mine m on m.mine_id = a.mine_id
where (%(mine_id)s::integer is null or a.mine_id = %(mine_id)s::integer)
  and (%(closed)s or a.state in ('provisional', 'confirmed', 'acknowledged'))
order by a.severity desc, a.first_time desc, a.alert_id
