-- The current comparisons that a rule would have looked at, in the order of sensing.
select k.*, m.slug
from comparison k
join epoch e using (epoch_id)
join mine m on m.mine_id = k.mine_id
join rule r on r.rule_id = %(rule_id)s
where k.superseded_at is null and e.superseded_at is null
  and (r.mine_id is null or r.mine_id = m.mine_id)
  and (r.country is null or lower(r.country) = lower(m.country))
  and (r.commodity is null or lower(r.commodity) = lower(m.commodity))
  and m.retired_at is null
order by m.slug, e.sensing_time, e.epoch_id
