insert into epoch (acquisition_id, mine_id, sensor_set, orbit_direction, sensing_time, model, model_checksum,
                   code_version, flow_run_id, class_raster, class_checksum, confidence_raster, confidence_checksum,
                   aoi_hectares, valid_hectares)
select acquisition_id, mine_id, sensor_set, orbit_direction, sensing_time, %(model)s, %(model_checksum)s,
       %(code_version)s, %(flow_run_id)s, %(class_raster)s, %(class_checksum)s, %(confidence_raster)s,
       %(confidence_checksum)s, %(aoi_hectares)s, %(valid_hectares)s
from acquisition
where acquisition_id = %(acquisition_id)s
returning *
