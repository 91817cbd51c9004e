-- One row of everything that migration 7 moves, in the schema of migration 5.
insert into label (class_id, name, meaning, colour) values (0, 'background', '-', '-'), (1, 'excavation', '-', '-');
insert into mine (slug, name, aoi) values ('pit', 'Pit', st_multi(st_makeenvelope(0, 0, 0.01, 0.01, 4326)));
insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, product_ids)
select mine_id, 's2-rgb', 'sentinel-2-l2a', '2023-03-01', '2023-03-01 12:00Z', '{}' from mine;
insert into epoch (acquisition_id, mine_id, sensor_set, sensing_time, model, model_checksum, code_version, class_raster,
                   class_checksum, confidence_raster, confidence_checksum, aoi_hectares, valid_hectares)
select acquisition_id, mine_id, sensor_set, sensing_time, 'm', '-', '0.1.0', '-', '-', '-', '-', 120, 120 from acquisition;
insert into class_area (epoch_id, class_id, hectares) select epoch_id, 1, 2 from epoch;
insert into segment (epoch_id, mine_id, class_id, hectares, confidence, geom)
select epoch_id, mine_id, 1, 2, 0.5, aoi from epoch join mine using (mine_id);
insert into comparison (epoch_id, mine_id, previous_epochs, valid_hectares, unknown_hectares, changed_hectares)
select epoch_id, mine_id, '{}', 120, 0, 2 from epoch;
insert into change (comparison_id, mine_id, from_class, to_class, hectares, confidence, previous_time, sensing_time, geom)
select comparison_id, mine_id, 0, 1, 2, 0.5, '2023-01-01', '2023-03-01 12:00Z', aoi from comparison join mine using (mine_id);
