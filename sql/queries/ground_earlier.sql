-- The latest 120 earlier looks at some ground, latest first, as the same weights saw it: the epochs that saw at least half of it,
-- and whether at least half of it was mine.
select n.sensing_time::date::text as on_day, coalesce(s.area, 0) >= 0.5 * st_area(g.geom) as was_mine
from epoch e
cross join lateral (select st_geomfromwkb(%(geom)s, 4326) as geom) g
join epoch n on n.mine_id = e.mine_id and n.model = e.model and n.model_checksum = e.model_checksum
            and n.sensor_set = e.sensor_set and n.orbit_direction = e.orbit_direction
            and n.sensing_time < e.sensing_time and n.superseded_at is null
left join epoch_unseen u on u.epoch_id = n.epoch_id
left join lateral (
    select sum(st_area(st_intersection(geom, g.geom))) as area
    from segment
    where epoch_id = n.epoch_id and sensing_time = n.sensing_time and class_id between 1 and 9
      and st_intersects(geom, g.geom)
) s on true
where e.epoch_id = %(epoch_id)s
  and (u.geom is null or st_area(st_intersection(u.geom, g.geom)) < 0.5 * st_area(g.geom))
order by n.sensing_time desc
limit 120
