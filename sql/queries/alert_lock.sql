select a.*, m.slug as mine, r.name as rule
from alert a
join rule r using (rule_id)
left join mine m on m.mine_id = a.mine_id
where a.alert_id = %(alert_id)s
for update of a
