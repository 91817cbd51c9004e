-- Record an acquisition. A sensing that is known is recorded anew when its products are: the row before is superseded,
-- and its epochs stand until `epoch_replace`. Nothing happens when one row, current or superseded, has all of the
-- products: tiles that the catalog leaves out for a while, and products that come back, are nothing new. A sensing
-- keeps its time, so that an alert never counts it as a second observation. What the catalog did not say when a row was
-- made, it may say later of the same products.
with sensing as (
    select acquisition_id, product_ids, superseded_at
    from acquisition
    where mine_id = %(mine_id)s and sensor_set = %(sensor_set)s and collection = %(collection)s
      and orbit_direction = %(orbit_direction)s and sensing_date = %(sensing_date)s
), news as (
    select %(product_ids)s::text[] as product_ids
    where not exists (select from sensing where %(product_ids)s::text[] <@ product_ids)
), gone as (
    update acquisition a
    set superseded_at = now(), superseded_why = 'newer products: ' || array_to_string(n.product_ids, ', ')
    from news n, sensing s
    where a.acquisition_id = s.acquisition_id and s.superseded_at is null
    returning a.sensing_time
), told as (
    update acquisition a
    set published_at = coalesce(a.published_at, %(published_at)s::timestamptz), cloud_cover = coalesce(a.cloud_cover, %(cloud_cover)s::real)
    from sensing s
    where a.acquisition_id = s.acquisition_id and s.superseded_at is null and s.product_ids = %(product_ids)s::text[]
      and (a.published_at is null and %(published_at)s::timestamptz is not null
           or a.cloud_cover is null and %(cloud_cover)s::real is not null)
)
insert into acquisition (mine_id, sensor_set, collection, orbit_direction, sensing_date, sensing_time, published_at,
                         product_ids, baseline, cloud_cover)
select %(mine_id)s, %(sensor_set)s, %(collection)s, %(orbit_direction)s, %(sensing_date)s::date,
       coalesce((select sensing_time from gone), %(sensing_time)s::timestamptz), %(published_at)s::timestamptz,
       product_ids, %(baseline)s, %(cloud_cover)s::real
from news
on conflict (mine_id, sensor_set, collection, orbit_direction, sensing_date) where superseded_at is null do nothing
returning acquisition_id;
