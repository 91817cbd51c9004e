-- What is current, as people ask for it. Each view has one unique integer key, so that QGIS can open it.

create view current_segment as
select s.segment_id, m.slug as mine, e.sensing_time, l.name as class, s.hectares, s.confidence, e.model, s.epoch_id, s.geom
from segment s
join epoch e using (epoch_id)
join mine m on m.mine_id = s.mine_id
join label l using (class_id)
where e.superseded_at is null;
comment on view current_segment is 'Segments of all current epochs with the names of mine and class';

create view mine_history as
select row_number() over (order by e.epoch_id, a.class_id)::integer as history_id,
       m.slug as mine, e.sensing_time, l.name as class, a.hectares,
       lag(a.hectares) over series as previous_hectares,
       a.hectares - lag(a.hectares) over series as difference,
       e.valid_hectares / nullif(e.aoi_hectares, 0) as valid_share,
       e.model, e.epoch_id
from class_area a
join epoch e using (epoch_id)
join mine m using (mine_id)
join label l using (class_id)
where e.superseded_at is null
window series as (partition by e.mine_id, e.sensor_set, e.orbit_direction, e.model, a.class_id order by e.sensing_time);
comment on view mine_history is 'Hectares per class and epoch, with those of the epoch before and the difference';

create view current_change as
select c.change_id, m.slug as mine, c.previous_time, c.sensing_time, f.name as from_class, t.name as to_class,
       c.hectares, c.confidence, c.geom
from change c
join comparison k using (comparison_id)
join mine m on m.mine_id = c.mine_id
join label f on f.class_id = c.from_class
join label t on t.class_id = c.to_class
where k.superseded_at is null;
comment on view current_change is 'Change polygons of all current comparisons';

create view open_alert as
select a.alert_id, m.slug as mine, r.name as rule, a.state, a.severity, a.hectares, a.first_time, a.last_time,
       a.observations, a.geom
from alert a
join mine m using (mine_id)
join rule r using (rule_id)
where a.state in ('provisional', 'confirmed', 'acknowledged');
comment on view open_alert is 'Alerts that still stand';

create view observation as
select a.acquisition_id, m.slug as mine, a.sensor_set, a.sensing_time, a.published_at, a.state, a.reasons,
       a.aoi_coverage, a.valid_share, a.cloud_share, a.processing_units, a.product_ids, a.tries
from acquisition a
join mine m using (mine_id)
where a.superseded_at is null;
comment on view observation is 'Every acquisition with its state and, where it was refused, why';
