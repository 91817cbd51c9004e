-- The latest three days before an epoch on which at least half of some ground was mine, as the same weights saw it.
select n.sensing_time::date::text as on_day
from epoch e
cross join lateral (select st_geomfromwkb(%(geom)s, 4326) as geom) g
join epoch n on n.mine_id = e.mine_id and n.model = e.model and n.model_checksum = e.model_checksum
            and n.sensor_set = e.sensor_set and n.orbit_direction = e.orbit_direction
            and n.sensing_time < e.sensing_time and n.superseded_at is null
join segment s on s.epoch_id = n.epoch_id and s.sensing_time = n.sensing_time and s.class_id between 1 and 9
              and st_intersects(s.geom, g.geom)
where e.epoch_id = %(epoch_id)s
group by n.epoch_id, n.sensing_time, g.geom
having sum(st_area(st_intersection(s.geom, g.geom))) >= 0.5 * st_area(g.geom)
order by n.sensing_time desc
limit 3
