-- A re-run judges again what was quarantined, fetches what was never downloaded, shows nothing, or lies on another grid
-- than the mine, tries again what failed, and makes anew what is of another AOI than today's; what a person rejected
-- stays so.
update acquisition a
set state = case when state = 'failed' and not other_grid then 'failed'
                 when raster is null or other_grid or aoi_coverage = 0
                 then 'discovered' else 'downloaded' end,
    tries = 0
from (select q.acquisition_id, coalesce(v.figures ->> 'grid' <> %(grid)s, false) as other_grid,
             exists (select from epoch e where e.acquisition_id = q.acquisition_id and e.superseded_at is null
                                           and e.created_at < m.aoi_since) as other_aoi
      from acquisition q
      join mine m using (mine_id)
      left join lateral (select figures from validation where acquisition_id = q.acquisition_id and figures ? 'grid'
                         order by validation_id desc limit 1) v on true
      where q.mine_id = %(mine_id)s) latest
where a.acquisition_id = latest.acquisition_id
  and mine_id = %(mine_id)s
  and sensor_set = %(sensor_set)s
  and superseded_at is null
  and (state in ('quarantined', 'failed') or state = 'segmented' and other_aoi)
  and (%(start)s::date is null or sensing_date >= %(start)s)
  and (%(end)s::date is null or sensing_date <= %(end)s)
  and not is_rejected(a.acquisition_id)
