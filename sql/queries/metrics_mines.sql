-- Mines watched; those that the catalog was not searched for, or that nobody truly saw, within so many days.
with watched as (
    select mine_id, registered_at from mine where retired_at is null
), searched as (
    select mine_id, max(at) as at from charge where kind = 'search' and at > now() - interval '7 days' group by mine_id
), seen as (
    select mine_id, max(sensing_time) as at
    from epoch
    where superseded_at is null and valid_hectares >= 0.5 * aoi_hectares and sensing_time > now() - interval '90 days'
    group by mine_id
)
select 'minecam_mines' as metric, array[]::text[] as labels, count(*)::float8 as value from watched
union all
select 'minecam_mines_unsearched', array[days::text],
       count(*) filter (where coalesce(s.at, w.registered_at) < now() - days * interval '1 day')
from unnest(array[2, 7]) as days left join watched w on true left join searched s using (mine_id)
group by days
union all
select 'minecam_mines_unseen', array[days::text],
       count(*) filter (where coalesce(s.at, w.registered_at) < now() - days * interval '1 day')
from unnest(array[10, 30, 90]) as days left join watched w on true left join seen s using (mine_id)
group by days
