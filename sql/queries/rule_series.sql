-- Hectares of a rule's classes, all together, at the epochs of its window that saw most of the mine as this epoch did:
-- by the same weights, taken up to the whole AOI, which is that of today.
select n.sensing_time, sum(c.hectares) * n.aoi_hectares / n.valid_hectares as hectares
from epoch e
join rule r on r.rule_id = %(rule_id)s
join epoch n on n.mine_id = e.mine_id and n.model = e.model and n.model_checksum = e.model_checksum
            and n.sensor_set = e.sensor_set and n.orbit_direction = e.orbit_direction
            and n.sensing_time between e.sensing_time - make_interval(days => r.window_days) and e.sensing_time
join class_area c on c.epoch_id = n.epoch_id and c.sensing_time = n.sensing_time and c.class_id = any (r.to_classes)
join mine m on m.mine_id = n.mine_id and (m.aoi_since is null or n.created_at >= m.aoi_since)
where e.epoch_id = %(epoch_id)s and n.superseded_at is null and n.valid_hectares >= 0.8 * n.aoi_hectares
group by n.epoch_id, n.sensing_time, n.aoi_hectares, n.valid_hectares
order by n.sensing_time
