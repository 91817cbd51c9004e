-- What an acquisition is held against; of what its shift is measured against, the best first: the first that saw nearly
-- all of the mine, then the closest in time.
select p.acquisition_id, p.raster, p.checksum, p.shift_rows, p.shift_columns,
       p.acquisition_id = r.previous_id as is_previous
from acquisition_reference r
join acquisition p on p.acquisition_id = any (r.held_against)
where r.mine_id = %(mine_id)s and r.sensor_set = %(sensor_set)s and r.acquisition_id = %(acquisition_id)s
order by coalesce(p.valid_share, 0) < 0.9, p.sensing_time
