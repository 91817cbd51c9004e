-- How far an acquisition lies off the others of its mine. All are laid on the first that was accepted.

set local role minecam_admin;

alter table acquisition add shift_rows real, add shift_columns real;
comment on column acquisition.shift_rows is 'Pixels by which it lies too far south, against the first accepted one of the mine that is seen the same way; null: not known. It is undone before segmentation where it is large enough (MINECAM_MIN_SHIFT_PX); the raster stays as it came';
comment on column acquisition.shift_columns is 'Pixels by which it lies too far east; see shift_rows';

update acquisition set shift_rows = 0, shift_columns = 0
where acquisition_id in (
    select distinct on (mine_id, sensor_set, collection, orbit_direction) acquisition_id
    from acquisition
    where state in ('accepted', 'segmented') and superseded_at is null
    order by mine_id, sensor_set, collection, orbit_direction, validated_at);
