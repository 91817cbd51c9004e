-- The current epochs of a mine by one model, in order of sensing, with what they were made from.
select e.epoch_id, e.sensing_time, e.model, e.model_checksum, e.valid_hectares / nullif(e.aoi_hectares, 0) as valid_share,
       e.created_at, e.class_raster, e.class_checksum, a.raster, a.checksum, a.product_ids
from epoch e
join acquisition a using (acquisition_id)
where e.mine_id = %(mine_id)s and e.model = %(model)s and e.superseded_at is null
order by e.sensing_time, e.epoch_id
