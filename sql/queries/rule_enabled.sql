-- The rules for a mine that its epochs bring about.
select r.*
from rule r
join rule_mine h using (rule_id)
where r.enabled and h.mine_id = %(mine_id)s and r.measure not in ('unseen', 'silent')
order by r.rule_id
