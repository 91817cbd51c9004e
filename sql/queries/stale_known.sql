-- The alert of a rule, of a mine or the fleet, that stands, or that was closed since it was seen last.
select alert_id, state, severity, last_time, state in ('provisional', 'confirmed', 'acknowledged') as stands
from alert
where rule_id = %(rule_id)s and mine_id is not distinct from %(mine_id)s::integer
  and (state in ('provisional', 'confirmed', 'acknowledged') or last_time > %(looked)s)
order by stands desc, alert_id desc
limit 1
for update
