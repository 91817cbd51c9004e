-- What an acquisition is held against does not depend on what came first, but on what was sensed first: one that comes
-- late lets those sensed after it be judged again.

set local role minecam_admin;

create function is_rejected(acquisition bigint) returns boolean
language sql stable
return coalesce((select decision = 'rejected' from acquisition_decision where acquisition_id = acquisition
                 order by acquisition_decision_id desc limit 1), false);
comment on function is_rejected is 'Whether the latest that people decided on an acquisition was to reject it';

create or replace view quarantine as
select a.acquisition_id, m.slug as mine, a.sensing_time, a.sensor_set, a.reasons,
       round(a.aoi_coverage::numeric, 3)::float8 as aoi_coverage, round(a.valid_share::numeric, 3)::float8 as valid_share,
       round(a.cloud_share::numeric, 3)::float8 as cloud_share, a.validated_at, a.product_ids, a.raster
from acquisition a
join mine m using (mine_id)
where a.state = 'quarantined' and a.superseded_at is null and not is_rejected(a.acquisition_id);

alter table acquisition add held_against bigint[];
comment on column acquisition.held_against is 'The acquisitions that it was held against when it was judged last; where the view acquisition_reference has others, it is to be judged again; null: not judged';
comment on column acquisition.shift_rows is 'Pixels by which it lies too far south, against the first accepted one in time of the mine that is seen the same way; null: not known. It is undone before segmentation where it is large enough (MINECAM_MIN_SHIFT_PX); the raster stays as it came';

create view acquisition_reference as
with accepted as not materialized (  -- once: what failed since is fetched anew
    select acquisition_id, mine_id, sensor_set, collection, orbit_direction, sensing_date, sensing_time, superseded_at
    from acquisition
    where raster is not null
      and (state in ('accepted', 'segmented')
           or state in ('discovered', 'downloaded', 'failed') and shift_rows is not null and superseded_at is null)
), marked as not materialized (
    select a.acquisition_id, a.mine_id, a.sensor_set, a.collection, a.orbit_direction, a.sensing_time,
           array[(extract(epoch from a.sensing_time) * 1000000)::bigint, a.acquisition_id] as place,
           u.acquisition_id is not null
               -- what has newer products, of the same sensing time, stands until these are accepted
               and (a.superseded_at is null
                    or not exists (select from accepted n
                                   where n.mine_id = a.mine_id and n.sensing_time = a.sensing_time
                                     and n.sensor_set = a.sensor_set and n.collection = a.collection
                                     and n.orbit_direction = a.orbit_direction
                                     and n.acquisition_id > a.acquisition_id)) as stands,
           a.shift_rows is not null as laid, coalesce(a.valid_share, 0) >= 0.9 as whole
    from acquisition a
    left join accepted u using (acquisition_id)
), sought as (  -- windows by mine: a question about one reads no other
    select acquisition_id, mine_id, sensor_set,
           (max(place) filter (where stands) over before)[2] as previous_id,
           (max(place) filter (where stands and laid) over before)[2] as closest_id,
           (min(place) filter (where stands and laid and whole) over before)[2] as whole_id,
           (min(place) filter (where stands and laid) over before)[2] as first_id
    from marked
    window before as (partition by mine_id, sensor_set, collection, orbit_direction order by sensing_time
                      groups between unbounded preceding and 1 preceding)
)
select acquisition_id, mine_id, sensor_set, previous_id,
       array(select distinct one from unnest(array[previous_id, closest_id, coalesce(whole_id, first_id)]) one
             where one is not null order by one) as held_against
from sought;
comment on view acquisition_reference is 'What every acquisition is held against, of those sensed before it, accepted and seen the same way: the one before it, the closest of known shift, and the first of known shift that saw nearly all of the mine, on which all are laid';
comment on column acquisition_reference.acquisition_id is 'Key';
comment on column acquisition_reference.mine_id is 'The mine';
comment on column acquisition_reference.sensor_set is 'Bands that the model needs';
comment on column acquisition_reference.previous_id is 'The acquisition before it';
comment on column acquisition_reference.held_against is 'All that it is held against, in order of their ids';

update acquisition a
set held_against = r.held_against
from acquisition_reference r
where r.acquisition_id = a.acquisition_id and a.raster is not null and a.state in ('accepted', 'segmented', 'quarantined');
