-- The epoch of an acquisition takes the place of those that the same model made from older products of its sensing.
with older as (
    select e.epoch_id, o.superseded_why as why
    from acquisition n
    join acquisition o using (mine_id, sensor_set, collection, orbit_direction, sensing_date)
    join epoch e on e.acquisition_id = o.acquisition_id
    where n.acquisition_id = %(acquisition_id)s
      and o.acquisition_id < n.acquisition_id
      and e.model = %(model)s
      and e.superseded_at is null
), gone as (
    update comparison k set superseded_at = now(), superseded_why = older.why
    from older
    where k.epoch_id = older.epoch_id and k.superseded_at is null
)
update epoch e set superseded_at = now(), superseded_why = older.why
from older
where e.epoch_id = older.epoch_id
