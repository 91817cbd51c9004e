-- Two mines with a history that can be worked out in one's head. east-pit (AOI about 464 ha) digs a pit that grows by
-- a strip of 0.001 degrees every month, across its licence; its pond rises beside a dam; epoch 4 is half under cloud
-- and epoch 5 was made twice. west-pit does not change.

insert into mine (slug, name, country, commodity, operator, aoi, licence) values
    ('east-pit', 'East Pit', 'BR', 'iron', 'Acme', st_multi(st_makeenvelope(-45.00, -20.02, -44.98, -20.00, 4326)),
     st_multi(st_makeenvelope(-45.00, -20.02, -44.995, -20.00, 4326))),
    ('west-pit', 'West Pit', 'CL', 'copper', 'Acme', st_multi(st_makeenvelope(-69.00, -22.02, -68.98, -22.00, 4326)), null);
insert into zone (slug, name, kind, geom) values
    ('spring', 'Old Spring', 'protected area', st_multi(st_makeenvelope(-44.995, -20.01, -44.99, -20.00, 4326)));

insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, published_at, product_ids, state,
                         reasons, processing_units, aoi_coverage, valid_share, cloud_share, raster, checksum, segmented_at)
select mine_id, 's2-10', 'sentinel-2-l2a', day, day + interval '13 hours', day + interval '16 hours',
       array['S2_' || slug || '_' || n], case when n = 7 then 'quarantined' else 'segmented' end,
       case when n = 7 then array['cloud'] else '{}' end, 0.5, 1, case when n = 4 then 0.5 else 1 end,
       case when n = 4 then 0.5 else 0 end, 'file:///' || n || '.tif', 'c' || n,
       case when n < 7 then day + interval '17 hours' end
from mine, generate_series(1, 7) as n, lateral (select date '2024-01-10' + (n - 1) * 30 as day) d
order by slug, n;

insert into charge (mine_id, acquisition_id, kind, processing_units, at)
select mine_id, acquisition_id, 'process', processing_units, sensing_time from acquisition;

insert into validation (acquisition_id, suite, passed, figures)
select acquisition_id, 'acquisition', state <> 'quarantined', '{"valid_share": 1}' from acquisition;

insert into epoch (acquisition_id, mine_id, sensor_set, sensing_time, model, model_checksum, code_version, class_raster,
                   class_checksum, confidence_raster, confidence_checksum, aoi_hectares, valid_hectares, created_at,
                   flow_run_id)
select a.acquisition_id, a.mine_id, a.sensor_set, a.sensing_time, made_by, made_by, '0.1.0', '-', '-', '-', '-', area,
       case when a.valid_share < 1 then area / 2 else area end, a.segmented_at,
       'run-' || (a.sensing_date - date '2024-01-10') / 30 + 1
from acquisition a
join mine m using (mine_id)
cross join unnest(array['first', 'second']) as made_by
cross join lateral (select hectares(m.aoi, m.aoi) as area) h
where a.state = 'segmented' and (made_by = 'first' or a.sensing_date = '2024-06-08')
order by a.acquisition_id, made_by;

-- Epoch 5 of east-pit was made by other weights first, which said that nothing was dug.
insert into epoch (acquisition_id, mine_id, sensor_set, sensing_time, model, model_checksum, code_version, class_raster,
                   class_checksum, confidence_raster, confidence_checksum, aoi_hectares, valid_hectares, created_at,
                   superseded_at, superseded_why)
select acquisition_id, mine_id, sensor_set, sensing_time, model, 'older', '0.0.9', '-', '-', '-', '-', aoi_hectares,
       valid_hectares, created_at - interval '1 hour', created_at, 'segmented with other weights'
from epoch
where sensing_time::date = '2024-05-09' and mine_id = (select mine_id from mine where slug = 'east-pit');

insert into unseen (epoch_id, geom)
select epoch_id, st_multi(st_makeenvelope(st_xmin(aoi), st_ymin(aoi), st_xmax(aoi), st_ymin(aoi) + 0.01, 4326))
from epoch
join mine using (mine_id)
where valid_hectares < aoi_hectares;

insert into segment (epoch_id, mine_id, class_id, sensing_time, hectares, confidence, geom)
select e.epoch_id, e.mine_id, shape.class_id, e.sensing_time, hectares(shape.geom, m.aoi), 0.9, st_multi(shape.geom)
from epoch e
join mine m using (mine_id)
join acquisition a using (acquisition_id)
cross join lateral (select (a.sensing_date - date '2024-01-10') / 30 as n, st_xmin(m.aoi) as x, st_ymin(m.aoi) as y) at
cross join lateral (values
    (1, st_makeenvelope(x + 0.001, y + 0.012, x + 0.003 + case slug when 'east-pit' then 0.001 * n else 0 end, y + 0.016, 4326)),
    (5, st_makeenvelope(x + 0.014, y + 0.012, x + 0.015, y + 0.016, 4326)),
    (6, st_makeenvelope(x + 0.015, y + 0.012, x + 0.016 + case slug when 'east-pit' then 0.0005 * n else 0 end, y + 0.016, 4326))
) as shape (class_id, geom)
where e.code_version = '0.1.0';

insert into class_area (epoch_id, class_id, sensing_time, hectares, confidence)
select e.epoch_id, l.class_id, e.sensing_time,
       case l.class_id when 0 then e.valid_hectares - coalesce(sum(s.hectares) over (partition by e.epoch_id), 0)
                       else coalesce(s.hectares, 0) end,
       case when l.class_id = 0 or s.hectares > 0 then 0.9 end
from epoch e
cross join label l
left join segment s on s.epoch_id = e.epoch_id and s.class_id = l.class_id
where l.class_id between 0 and 10;

insert into comparison (epoch_id, mine_id, previous_epochs, valid_hectares, unknown_hectares, changed_hectares, created_at)
select epoch_id, mine_id, array[before], valid_hectares, 0, 0, created_at
from (select *, lag(epoch_id) over (partition by mine_id, model order by sensing_time) as before
      from epoch where superseded_at is null) e
where before is not null;

insert into class_change (comparison_id, class_id, hectares_before, hectares_now, unknown_hectares)
select k.comparison_id, n.class_id, b.hectares, n.hectares, 0
from comparison k
join class_area n using (epoch_id)
join class_area b on b.epoch_id = k.previous_epochs[1] and b.class_id = n.class_id;

insert into change (comparison_id, mine_id, from_class, to_class, hectares, confidence, previous_time, sensing_time, geom)
select k.comparison_id, k.mine_id, 0, 1, hectares(g.geom, m.aoi), 0.9, e.sensing_time - interval '30 days',
       e.sensing_time, st_multi(g.geom)
from comparison k
join epoch e using (epoch_id)
join segment s on s.epoch_id = e.epoch_id and s.class_id = 1
join segment b on b.epoch_id = k.previous_epochs[1] and b.class_id = 1
join mine m on m.mine_id = k.mine_id
cross join lateral (select st_difference(s.geom, b.geom) as geom) g
where not st_isempty(g.geom);

insert into alert (mine_id, rule_id, state, severity, hectares, measured, first_time, last_time, first_epoch_id, last_epoch_id,
                   observations, raised_at, geom)
select c.mine_id, 1, 'confirmed', 1, c.hectares, c.hectares, c.sensing_time, c.sensing_time, k.epoch_id, k.epoch_id, '{1,1}',
       k.created_at, c.geom
from change c
join comparison k using (comparison_id)
where c.sensing_time::date = '2024-02-09';
insert into alert_event (alert_id, from_state, to_state, epoch_id, actor, why, at)
select alert_id, null, 'provisional', first_epoch_id, 'monitor', 'passed the threshold', raised_at from alert
union all
select alert_id, 'provisional', 'confirmed', first_epoch_id, 'monitor', '2 of 2 agree', raised_at + interval '60 days'
from alert;
insert into delivery (alert_event_id, block, tries, problem) select alert_event_id, 'field-team', 1, 'no answer' from alert_event;

insert into mine_edit (mine_id, edit, geom, who, why)
select mine_id, 'licence', licence, 'Ada', 'extended in May' from mine where slug = 'east-pit';

select fill_months();
