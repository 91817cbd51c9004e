-- What follows from epochs and segments: comparisons, changes, alerts, validations, months; one epoch in twenty is half
-- clouded.
set session_replication_role = replica;
insert into comparison (epoch_id, mine_id, previous_epochs, valid_hectares, unknown_hectares, changed_hectares, created_at)
select epoch_id, mine_id, array[before], 400, 0, 1, created_at
from (select epoch_id, mine_id, created_at, lag(epoch_id) over (partition by mine_id order by sensing_time) as before
      from epoch) e
where before is not null;
insert into class_change (comparison_id, class_id, hectares_before, hectares_now)
select k.comparison_id, a.class_id, a.hectares * 0.99, a.hectares
from comparison k
join class_area a using (epoch_id);
insert into validation (acquisition_id, suite, passed, figures)
select acquisition_id, 'acquisition', true, '{"valid_share": 1, "cloud_share": 0}' from acquisition;
insert into change (comparison_id, mine_id, from_class, to_class, hectares, confidence, previous_time, sensing_time, geom)
select k.comparison_id, k.mine_id, 0, 1, s.hectares / 10, 0.8, s.sensing_time - interval '10 days', s.sensing_time, s.geom
from comparison k
join segment s using (epoch_id)
where s.class_id = 1 and k.comparison_id % 5 = 0;
insert into alert (mine_id, rule_id, state, severity, hectares, measured, first_time, last_time, first_epoch_id,
                   last_epoch_id, observations, raised_at, geom)
select c.mine_id, 1, case when k.comparison_id % 3 = 0 then 'confirmed' else 'resolved' end, 1 + k.comparison_id % 3,
       c.hectares, c.hectares, c.sensing_time, c.sensing_time, k.epoch_id, k.epoch_id, '{1,1}', k.created_at, c.geom
from change c
join comparison k using (comparison_id)
where k.comparison_id % 50 = 0;
insert into alert_event (alert_id, from_state, to_state, epoch_id, actor, why, at)
select alert_id, null, 'provisional', first_epoch_id, 'monitor', 'passed the threshold', raised_at from alert
union all
select alert_id, 'provisional', state, first_epoch_id, 'monitor', '2 of 2 agree', raised_at + interval '10 days' from alert;
insert into unseen (epoch_id, geom)
select epoch_id, st_multi(st_makeenvelope(st_xmin(aoi), st_ymin(aoi), st_xmax(aoi), (st_ymin(aoi) + st_ymax(aoi)) / 2, 4326))
from epoch
join mine using (mine_id)
where epoch_id % 20 = 0;
-- Every fiftieth mine is seen by another model too.
select setval(pg_get_serial_sequence('epoch', 'epoch_id'), (select max(epoch_id) from epoch));
insert into epoch (acquisition_id, mine_id, sensor_set, sensing_time, model, model_checksum, code_version, class_raster,
                   class_checksum, confidence_raster, confidence_checksum, aoi_hectares, valid_hectares, created_at)
select acquisition_id, mine_id, sensor_set, sensing_time, 's2-rgb-mines', model_checksum, code_version, class_raster,
       class_checksum, confidence_raster, confidence_checksum, aoi_hectares, valid_hectares, created_at
from epoch where mine_id % 50 = 0;
insert into class_area (epoch_id, class_id, sensing_time, hectares, confidence)
select n.epoch_id, a.class_id, a.sensing_time, a.hectares * 1.05, a.confidence
from epoch n
join epoch e on e.acquisition_id = n.acquisition_id and e.epoch_id <> n.epoch_id
join class_area a on a.epoch_id = e.epoch_id and a.sensing_time = e.sensing_time
where n.model = 's2-rgb-mines' and n.mine_id % 50 = 0;
update mine set licence = st_multi(st_envelope(st_buffer(st_centroid(aoi), 0.005))) where mine_id % 2 = 0;
insert into zone (slug, name, kind, geom)
select 'zone-' || mine_id, 'Zone ' || mine_id, 'protected area', st_multi(st_buffer(st_centroid(aoi), 0.004))
from mine where mine_id % 10 = 0;
select fill_months();
analyze
