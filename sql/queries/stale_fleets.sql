-- For how many days nothing came of any mine of each rule for that, beyond the longest gap between two days of sensing
-- in the 60 days before the latest, and twice the usual one of a year at most, lest an outage hides the next; where there
-- is no gap to see, the five days in which Sentinel-2 comes back. Where nothing ever came, since the first of the mines is
-- watched.
with day as (
    select distinct h.rule_id, a.sensing_date as on_day
    from rule_mine h
    join rule r on r.rule_id = h.rule_id and r.measure = 'silent'
    join acquisition a on a.mine_id = h.mine_id and a.superseded_at is null
), gap as (
    select rule_id, on_day, max(on_day) over (partition by rule_id) as latest,
           on_day - lag(on_day) over (partition by rule_id order by on_day) as days
    from day
), usual as (
    select rule_id, latest,
           coalesce(least(max(days) filter (where on_day > latest - 60),
                          2 * percentile_cont(0.5) within group (order by days) filter (where on_day > latest - 365)),
                    5) as days
    from gap group by rule_id, latest
), watched as (
    select h.rule_id, min(m.registered_at)::date as since
    from rule_mine h join mine m using (mine_id)
    group by h.rule_id
)
select r.*, null::integer as mine_id, coalesce(u.latest, w.since)::timestamptz as looked,
       (%(at)s::timestamptz at time zone 'UTC')::date - coalesce(u.latest, w.since) - coalesce(u.days, 5)::float8 as days,
       case when u.latest is null then format('nothing ever came, since %%s', w.since)
            else format('the latest sensing is of %%s, what is usual are gaps of up to %%s days', u.latest,
                        u.days) end as since
from rule r
join watched w using (rule_id)
left join usual u using (rule_id)
where r.measure = 'silent'
order by r.rule_id
