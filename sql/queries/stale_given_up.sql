-- How many acquisitions of the mines of each rule for that failed as often as they are tried.
select r.*, m.mine_id, m.slug as mine, coalesce(max(a.failed_at), m.registered_at) as looked,
       count(a.acquisition_id)::float8 as days,
       case when count(a.acquisition_id) = 0 then 'none is left'
            else format('the latest, of %%s: %%s', max(a.sensing_date),
                        (array_agg(a.reasons[1] order by a.sensing_time desc))[1]) end as since
from rule r
join rule_mine h using (rule_id)
join mine m on m.mine_id = h.mine_id
left join acquisition a on a.mine_id = m.mine_id and a.state = 'failed' and a.superseded_at is null
                           and a.tries >= %(max_tries)s
where r.measure = 'given_up'
group by r.rule_id, m.mine_id
order by r.rule_id, m.slug
