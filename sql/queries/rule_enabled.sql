-- The rules for a mine that its epochs bring about: those that are on, and those of which an alert stands.
select r.*
from rule r
join rule_mine h using (rule_id)
where h.mine_id = %(mine_id)s and r.measure not in ('unseen', 'silent', 'given_up')
  and (r.enabled or exists (select from alert a
                            where a.rule_id = r.rule_id and a.mine_id = h.mine_id
                              and a.state in ('provisional', 'confirmed', 'acknowledged')))
order by r.rule_id
