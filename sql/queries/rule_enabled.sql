-- The rules that hold for a mine.
select r.*
from rule r
join mine m on m.mine_id = %(mine_id)s
where r.enabled
  and (r.mine_id is null or r.mine_id = m.mine_id)
  and (r.country is null or lower(r.country) = lower(m.country))
  and (r.commodity is null or lower(r.commodity) = lower(m.commodity))
order by r.rule_id
