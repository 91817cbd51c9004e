-- How many mines a rule is for.
select count(*)::integer as mines
from mine m
join rule r on r.rule_id = %(rule_id)s
where m.retired_at is null
  and (r.mine_id is null or r.mine_id = m.mine_id)
  and (r.country is null or lower(r.country) = lower(m.country))
  and (r.commodity is null or lower(r.commodity) = lower(m.commodity))
