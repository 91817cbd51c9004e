-- For how many days nothing came of any mine of each rule for that, beyond the longest gap between two days of sensing
-- in the 60 days before the latest; where there is no gap to see, the five days in which Sentinel-2 comes back.
with day as (
    select distinct r.rule_id, a.sensing_date as on_day
    from rule r
    join rule_mine h using (rule_id)
    join acquisition a on a.mine_id = h.mine_id and a.superseded_at is null
    where r.enabled and r.measure = 'silent'
), gap as (
    select rule_id, on_day, max(on_day) over (partition by rule_id) as latest,
           on_day - lag(on_day) over (partition by rule_id order by on_day) as days
    from day
), usual as (
    select rule_id, latest, coalesce(max(days) filter (where on_day > latest - 60), 5) as days
    from gap group by rule_id, latest
)
select r.*, null::integer as mine_id, (%(at)s::timestamptz at time zone 'UTC')::date - u.latest - u.days::float8 as days,
       format('the latest sensing is of %%s, the longest gap in the 60 days before was of %%s days', u.latest, u.days) as since
from rule r
join usual u using (rule_id)
where r.enabled and r.measure = 'silent'
order by r.rule_id
