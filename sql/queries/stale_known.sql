select alert_id, state, severity, measured
from alert
where rule_id = %(rule_id)s and mine_id is not distinct from %(mine_id)s::integer
  and state in ('provisional', 'confirmed', 'acknowledged')
