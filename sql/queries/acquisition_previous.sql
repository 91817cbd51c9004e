-- The raster of the latest accepted acquisition before this one, seen the same way.
select p.acquisition_id, p.raster, p.checksum
from acquisition a
join acquisition p using (mine_id, sensor_set, collection, orbit_direction)
where a.acquisition_id = %(acquisition_id)s
  and p.state in ('accepted', 'segmented')
  and p.superseded_at is null
  and p.raster is not null
  and p.sensing_time < a.sensing_time
order by p.sensing_time desc
limit 1
