select w.*, r.name as rule
from route w
left join rule r using (rule_id)
where w.enabled
order by w.route_id
