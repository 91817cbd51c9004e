-- The next acquisition in order of sensing, after one of them, that was held against others than it is to be: one came
-- late, has newer products, or was judged otherwise since. It waits for those whose rasters are to be fetched anew.
-- What a person rejected stays so.
select a.*
from acquisition a
join acquisition_reference r using (acquisition_id)
where r.mine_id = %(mine_id)s
  and r.sensor_set = %(sensor_set)s
  and a.superseded_at is null
  and a.raster is not null
  and a.state in ('accepted', 'segmented', 'quarantined')
  and a.held_against <> r.held_against
  and not exists (select from acquisition p
                  where p.acquisition_id = any (r.held_against) and p.state not in ('accepted', 'segmented'))
  and (%(after)s::bigint is null
       or (a.sensing_time, a.acquisition_id) > (select sensing_time, acquisition_id from acquisition
                                                where acquisition_id = %(after)s))
  and not is_rejected(a.acquisition_id)
order by a.sensing_time, a.acquisition_id
limit 1
