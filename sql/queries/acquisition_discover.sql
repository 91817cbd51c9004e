-- Record an acquisition; nothing happens when it is known already.
insert into acquisition (mine_id, sensor_set, collection, orbit_direction, sensing_date, sensing_time, published_at,
                         product_ids, baseline, cloud_cover)
values (%(mine_id)s, %(sensor_set)s, %(collection)s, %(orbit_direction)s, %(sensing_date)s, %(sensing_time)s,
        %(published_at)s, %(product_ids)s, %(baseline)s, %(cloud_cover)s)
on conflict (mine_id, sensor_set, collection, orbit_direction, sensing_date) where superseded_at is null do nothing
returning acquisition_id;
