-- When a rule of the measure unseen would have fired: gaps between two looks at a mine that are as long as its threshold.
with look as (
    select e.mine_id, e.sensing_time, lag(e.sensing_time) over (partition by e.mine_id order by e.sensing_time) as before
    from epoch e
    join rule_mine h on h.mine_id = e.mine_id and h.rule_id = %(rule_id)s
    where e.superseded_at is null and e.valid_hectares >= 0.5 * e.aoi_hectares
)
select m.slug, l.before + make_interval(secs => 86400 * r.threshold) as on,
       extract(epoch from l.sensing_time - l.before)::float8 / 86400 as measured,
       format('it was seen on %%s, and then on %%s', l.before::date, l.sensing_time::date) as why
from look l
join mine m on m.mine_id = l.mine_id
join rule r on r.rule_id = %(rule_id)s
where l.sensing_time - l.before >= make_interval(secs => 86400 * r.threshold)
order by m.slug, l.sensing_time
