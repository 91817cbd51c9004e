-- Alerts that stand of silence, or of what was given up, where nobody listens any more: the mine is retired, or left the scope of the rule.
select a.alert_id, a.state
from alert a
join rule r using (rule_id)
where r.measure in ('unseen', 'silent', 'given_up') and a.state in ('provisional', 'confirmed', 'acknowledged')
  and not exists (select from rule_mine h
                  where h.rule_id = a.rule_id and (a.mine_id is null or h.mine_id = a.mine_id))
order by a.alert_id
for update of a
