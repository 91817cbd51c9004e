-- The rules that hold for a mine.
select r.*
from rule r
join rule_mine h using (rule_id)
where r.enabled and h.mine_id = %(mine_id)s
order by r.rule_id
