-- The next acquisition in order of sensing, after one of them, that was held against others than it is to be: one came
-- late, has newer products, or was judged otherwise since. It waits for those whose rasters are to be fetched anew.
-- What a person rejected stays so, and what lies on another grid than that of the mine.
with wanted as materialized (
    select acquisition_id, held_against as references_now
    from acquisition_reference
    where mine_id = %(mine_id)s and sensor_set = %(sensor_set)s
), other as materialized (
    select a.acquisition_id, w.references_now
    from acquisition a
    join wanted w using (acquisition_id)
    where a.mine_id = %(mine_id)s
      and a.superseded_at is null
      and a.raster is not null
      and a.state in ('accepted', 'segmented', 'quarantined')
      and a.held_against <> w.references_now
)
select a.*
from other o
join acquisition a using (acquisition_id)
where (%(after)s::bigint is null
       or (a.sensing_time, acquisition_id) > (select sensing_time, acquisition_id from acquisition
                                              where acquisition_id = %(after)s))
  and not is_rejected(acquisition_id)
  and not exists (select from unnest(references_now) one
                  join acquisition p on p.acquisition_id = one
                  where p.state not in ('accepted', 'segmented'))
  and not exists (select from (select figures ->> 'grid' as grid from validation v
                               where v.acquisition_id = o.acquisition_id and v.figures ? 'grid'
                               order by validation_id desc limit 1) latest
                  where grid <> %(grid)s)
order by a.sensing_time, acquisition_id
limit 1
