-- An epoch of a simulated mine, and the acquisition that it is of.
with sensed as (
    insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, published_at, product_ids,
                             state, processing_units, aoi_coverage, valid_share, cloud_share, segmented_at)
    select %(mine_id)s, 's2-10', 'sentinel-2-l2a', at::date, at, at + interval '3 hours', array['SIM_' || at::date],
           'segmented', 0.4, 1, %(valid)s / %(aoi)s, 1 - %(valid)s / %(aoi)s, at + interval '5 hours'
    from (select %(at)s::timestamptz as at) moment
    returning *
)
insert into epoch (acquisition_id, mine_id, sensor_set, sensing_time, model, model_checksum, code_version, class_raster,
                   class_checksum, confidence_raster, confidence_checksum, aoi_hectares, valid_hectares, created_at)
select acquisition_id, mine_id, sensor_set, sensing_time, 's2-10-simulated', '0', '0', '-', '-', '-', '-', %(aoi)s,
       %(valid)s, segmented_at
from sensed
returning epoch_id
