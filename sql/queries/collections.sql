-- What `minecam serve` serves, where it lies and of what time it is. What lies in mines has the extent of their AOIs:
-- to look at every outline would take too long.
with seen as (
    select st_extent(m.aoi) as box, min(e.first_time) as first_time, max(e.last_time) as last_time
    from mine m
    join lateral (
        select min(sensing_time) as first_time, max(sensing_time) as last_time
        from epoch where mine_id = m.mine_id and superseded_at is null
    ) e on e.last_time is not null
), compared as (
    select st_extent(m.aoi) as box, min(k.first_time) as first_time, max(k.last_time) as last_time
    from mine m
    join lateral (
        select min(sensing_time) as first_time, max(sensing_time) as last_time from change where mine_id = m.mine_id
    ) k on k.last_time is not null
), every as (
    select 'latest_segment' as name, box, first_time, last_time from seen
    union all select 'segments_on', box, first_time, last_time from seen
    union all select 'current_segment', box, first_time, last_time from seen
    union all select 'current_change', box, first_time, last_time from compared
    union all select 'open_alert', st_extent(geom), min(first_time), max(first_time) from open_alert
    union all select name, st_extent(geom), min(last_valid_observation), max(last_valid_observation)
              from (values ('mine_status'), ('watch')) as either (name) left join mine_status on true group by name
    union all select 'zone', st_extent(geom), null, null from zone
)
select name, coalesce(obj_description(to_regclass('minecam.' || name), 'pg_class'),
                      obj_description(to_regproc('minecam.' || name), 'pg_proc')) as description,
       case when box is not null then array[st_xmin(box), st_ymin(box), st_xmax(box), st_ymax(box)] end as bounds,
       first_time, last_time
from every
