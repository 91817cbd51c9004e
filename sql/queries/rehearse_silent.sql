-- When a rule of the measure silent would have fired: gaps between two days of sensing of the fleet that are as much
-- longer as its threshold than what was usual before (see stale_fleets.sql).
with day as (
    select distinct a.sensing_date as on_day
    from acquisition a
    join rule_mine h on h.mine_id = a.mine_id and h.rule_id = %(rule_id)s
    where a.superseded_at is null
), gap as (
    select on_day, lag(on_day) over (order by on_day) as before, on_day - lag(on_day) over (order by on_day) as days
    from day
), known as (
    select g.*, u.usual
    from gap g
    cross join lateral (
        select coalesce(least(max(w.days) filter (where w.on_day > g.before - 60),
                              2 * percentile_cont(0.5) within group (order by w.days)), 5) as usual
        from gap w where w.on_day > g.before - 365 and w.on_day <= g.before
    ) u
    where g.before is not null
)
select null as slug, k.before + make_interval(secs => 86400 * (k.usual + r.threshold)) as on,
       (k.days - k.usual)::float8 as measured,
       format('something came on %%s, and then on %%s', k.before, k.on_day) as why
from known k
join rule r on r.rule_id = %(rule_id)s
where k.days - k.usual >= r.threshold
order by k.on_day
