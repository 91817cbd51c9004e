-- The times of recording of a mine never go back, though the clock may: by them `epoch_due` finds what came late.
insert into epoch (acquisition_id, mine_id, sensor_set, orbit_direction, sensing_time, model, model_checksum,
                   code_version, flow_run_id, class_raster, class_checksum, confidence_raster, confidence_checksum,
                   aoi_hectares, valid_hectares, created_at)
select acquisition_id, mine_id, sensor_set, orbit_direction, sensing_time, %(model)s, %(model_checksum)s,
       %(code_version)s, %(flow_run_id)s, %(class_raster)s, %(class_checksum)s, %(confidence_raster)s,
       %(confidence_checksum)s, %(aoi_hectares)s, %(valid_hectares)s,
       greatest(now(), (select max(k.checked_at) + interval '1 microsecond'
                        from epoch e join comparison k on k.epoch_id = e.epoch_id and k.superseded_at is null
                        where e.mine_id = acquisition.mine_id and e.superseded_at is null))
from acquisition
where acquisition_id = %(acquisition_id)s
returning *
