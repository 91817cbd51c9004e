-- What the shift of an acquisition is measured against, best first: the first that was accepted of those that saw
-- nearly all of the mine, and the one sensed closest to it; both seen the same way, and of known shift.
select acquisition_id, raster, checksum, shift_rows, shift_columns
from (
    select p.*,
           row_number() over (order by p.valid_share < 0.9, p.validated_at, p.acquisition_id) as rank,
           row_number() over (order by abs(extract(epoch from p.sensing_time - a.sensing_time))) as distance
    from acquisition a
    join acquisition p using (mine_id, sensor_set, collection, orbit_direction)
    where a.acquisition_id = %(acquisition_id)s
      and p.acquisition_id <> a.acquisition_id
      and p.state in ('accepted', 'segmented')
      and p.superseded_at is null
      and p.raster is not null
      and p.shift_rows is not null
) known
where rank = 1 or distance = 1
order by rank
