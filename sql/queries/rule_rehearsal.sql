-- The current comparisons that a rule would have looked at, in the order of sensing.
select k.*
from rule_mine h
join mine m using (mine_id)
join comparison k using (mine_id)
join epoch e using (epoch_id)
where h.rule_id = %(rule_id)s and k.superseded_at is null and e.superseded_at is null
order by m.slug, e.sensing_time, e.epoch_id
