-- When a rule of the measure given_up would have fired: acquisitions that stand as failed, by the day of the last try.
select m.slug, a.failed_at as on, count(*) over (partition by m.mine_id order by a.failed_at)::float8 as measured,
       format('that of %%s failed %%s times: %%s', a.sensing_date, a.tries, a.reasons[1]) as why
from acquisition a
join rule_mine h on h.mine_id = a.mine_id and h.rule_id = %(rule_id)s
join mine m on m.mine_id = a.mine_id
where a.state = 'failed' and a.superseded_at is null and a.failed_at is not null
order by m.slug, a.failed_at
