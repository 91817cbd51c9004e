-- How many days the mines of each rule for that were not truly seen; one never seen, since it is watched.
select r.*, w.mine_id, w.mine, coalesce(w.last_valid_observation, m.registered_at) as looked,
       extract(epoch from %(at)s::timestamptz - coalesce(w.last_valid_observation, m.registered_at))::float8 / 86400 as days,
       case when w.last_valid_observation is null then 'it was never seen since it is watched, ' || m.registered_at::date
            else 'it was seen last on ' || w.last_valid_observation::date end as since
from rule r
join rule_mine h using (rule_id)
join mine_status w on w.mine_id = h.mine_id
join mine m on m.mine_id = h.mine_id
where r.measure = 'unseen'
order by r.rule_id, w.mine
