-- What people ask, as views and functions; sql/README.md has an example of each. Views say what is known now; their
-- ..._as_of(moment) say what was known at a moment. A view has one unique integer key, so that QGIS can open it.

set local role minecam_admin;

drop view open_alert, observation;

create function known(made timestamptz, superseded timestamptz, moment timestamptz) returns boolean
language sql immutable parallel safe
begin atomic
    select made <= moment and (superseded is null or superseded > moment);
end;
comment on function known is 'Whether what was made and superseded then was the knowledge of a moment; infinity: is now';

create function hectares(geom geometry, of_aoi geometry) returns double precision
language sql immutable parallel safe
begin atomic
    select st_area(st_transform(geom, 32600 + case when st_y(st_centroid(of_aoi)) < 0 then 100 else 0 end
           + least(60, 1 + floor((st_x(st_centroid(of_aoi)) + 180) / 6)::integer))) / 10000;
end;
comment on function hectares is 'Hectares of a geometry in the UTM zone of its mine''s AOI';

-- 1. The history of a mine.

create function mine_history_as_of(moment timestamptz)
returns table (history_id bigint, mine text, sensing_time timestamptz, class text, hectares double precision,
               valid_share double precision, previous_hectares double precision, difference double precision,
               compared_share double precision, confidence double precision, model text, sensor_set text,
               orbit_direction text, epoch_id bigint)
language sql stable parallel safe
begin atomic
    select e.epoch_id * 16 + a.class_id, m.slug, e.sensing_time, l.name, round(a.hectares::numeric, 2)::float8,
           round((e.valid_hectares / nullif(e.aoi_hectares, 0))::numeric, 3)::float8,
           case when k.valid_hectares > 0 then round(d.hectares_before::numeric, 2)::float8 end,
           case when k.valid_hectares > 0 then round((d.hectares_now - d.hectares_before)::numeric, 2)::float8 end,
           round((k.valid_hectares / nullif(e.aoi_hectares, 0))::numeric, 3)::float8,
           round(a.confidence::numeric, 3)::float8, e.model, e.sensor_set, e.orbit_direction, e.epoch_id
    from mine m
    join epoch e using (mine_id)
    join class_area a on a.epoch_id = e.epoch_id and a.sensing_time = e.sensing_time
    join label l using (class_id)
    left join comparison k on k.epoch_id = e.epoch_id and known(k.created_at, k.superseded_at, moment)
    left join class_change d on d.comparison_id = k.comparison_id and d.class_id = a.class_id
    where known(e.created_at, e.superseded_at, moment);
end;
comment on function mine_history_as_of is 'The view mine_history as it was at a moment';

create view mine_history as select * from mine_history_as_of('infinity');
comment on view mine_history is 'Hectares per class and epoch on the ground that was seen, and the difference to the previous observation';
comment on column mine_history.valid_share is 'Share (0-1) of the AOI that was seen: the hectares are of that ground';
comment on column mine_history.previous_hectares is 'In the previous observation, of the ground seen before and now; null where there is none';
comment on column mine_history.difference is 'Hectares gained or lost since, on the ground seen before and now';
comment on column mine_history.compared_share is 'Share (0-1) of the AOI seen before and now: the difference is of that ground';
comment on column mine_history.confidence is 'Mean confidence (0-1) of the pixels of the class';

create function segment_as_of(moment timestamptz)
returns table (segment_id bigint, mine text, sensing_time timestamptz, class text, hectares double precision,
               confidence double precision, model text, epoch_id bigint, geom geometry(MultiPolygon, 4326))
language sql stable parallel safe
begin atomic
    select s.segment_id, m.slug, e.sensing_time, l.name, round(s.hectares::numeric, 2)::float8,
           round(s.confidence::numeric, 3)::float8, e.model, e.epoch_id, s.geom
    from mine m
    join epoch e using (mine_id)
    join segment s on s.epoch_id = e.epoch_id and s.sensing_time = e.sensing_time
    join label l using (class_id)
    where known(e.created_at, e.superseded_at, moment);
end;
comment on function segment_as_of is 'The view current_segment as it was at a moment';

create view current_segment as
select segment_id, mine, sensing_time, class, hectares, confidence, model, epoch_id, geom::geometry(MultiPolygon, 4326)
from segment_as_of('infinity');
comment on view current_segment is 'Segments of all current epochs with the names of mine and class';

create view latest_segment as
select s.segment_id, m.slug as mine, e.sensing_time, l.name as class, round(s.hectares::numeric, 2)::float8 as hectares,
       round(s.confidence::numeric, 3)::float8 as confidence, e.model, e.epoch_id, s.geom
from mine m
cross join lateral (
    select epoch_id, sensing_time, model from epoch
    where mine_id = m.mine_id and superseded_at is null and valid_hectares >= 0.5 * aoi_hectares
    order by sensing_time desc, epoch_id desc
    limit 1
) e
join segment s on s.epoch_id = e.epoch_id and s.sensing_time = e.sensing_time
join label l using (class_id);
comment on view latest_segment is 'Segments of every mine''s latest epoch that saw at least half of the AOI: the map of today';

create function change_as_of(moment timestamptz)
returns table (change_id bigint, mine text, previous_time timestamptz, sensing_time timestamptz, from_class text,
               to_class text, hectares double precision, confidence double precision,
               geom geometry(MultiPolygon, 4326))
language sql stable parallel safe
begin atomic
    select c.change_id, m.slug, c.previous_time, c.sensing_time, f.name, t.name, round(c.hectares::numeric, 2)::float8,
           round(c.confidence::numeric, 3)::float8, c.geom
    from mine m
    join change c using (mine_id)
    join comparison k using (comparison_id)
    join label f on f.class_id = c.from_class
    join label t on t.class_id = c.to_class
    where known(k.created_at, k.superseded_at, moment);
end;
comment on function change_as_of is 'The view current_change as it was at a moment';

create view current_change as
select change_id, mine, previous_time, sensing_time, from_class, to_class, hectares, confidence,
       geom::geometry(MultiPolygon, 4326)
from change_as_of('infinity');
comment on view current_change is 'Change polygons of all current comparisons';

-- 2. The state of a mine on a day: every place as it was last seen before the day's end.

create function model_on(of_mine text, day date, known_at timestamptz default 'infinity') returns text
language sql stable parallel safe
begin atomic
    select e.model
    from mine m
    join epoch e using (mine_id)
    where m.slug = of_mine and e.sensing_time < day + 1 and e.valid_hectares > 0
      and known(e.created_at, e.superseded_at, known_at)
    order by e.sensing_time desc, e.epoch_id
    limit 1;
end;
comment on function model_on is 'The model that saw a mine last before the end of a day; of several, the one that saw it first';

create function mine_on(of_mine text, day date, known_at timestamptz default 'infinity', by_model text default null)
returns table (class text, sensing_time timestamptz, hectares double precision, epoch_id bigint, geom geometry)
language plpgsql stable parallel safe rows 20 set search_path = minecam, public as $$
declare
    site mine;
    unknown geometry;
    one record;
    ground geometry;
begin
    select * into site from mine where slug = of_mine;
    if not found then
        raise exception 'no mine %', of_mine using hint = 'select slug from mine';
    end if;
    unknown := site.aoi;
    for one in
        select e.epoch_id, e.sensing_time, coalesce(u.geom, 'srid=4326;multipolygon empty') as unseen
        from epoch e
        left join unseen u using (epoch_id)
        where e.mine_id = site.mine_id and e.sensing_time < day + 1 and e.valid_hectares > 0
          and known(e.created_at, e.superseded_at, known_at)
          and e.model = coalesce(by_model, model_on(of_mine, day, known_at))
        order by e.sensing_time desc, e.epoch_id desc
        limit 50
    loop
        ground := st_collectionextract(st_difference(unknown, one.unseen), 3);
        continue when st_isempty(ground);
        return query
            with part as (
                select s.class_id, s.hectares as whole, st_collectionextract(st_intersection(s.geom, ground), 3) as geom,
                       st_coveredby(s.geom, ground) as inside
                from segment s
                where s.epoch_id = one.epoch_id and s.sensing_time = one.sensing_time
                  and st_intersects(s.geom, ground)
            ), rest as (
                select 0::smallint as class_id, null::real as whole, false as inside,
                       st_collectionextract(st_difference(ground, coalesce((select st_union(p.geom) from part p),
                                            'srid=4326;polygon empty'::geometry)), 3) as geom
            ), every as (
                select p.class_id, p.whole, p.geom, p.inside from part p
                union all
                select r.class_id, r.whole, r.geom, r.inside from rest r
            )
            select l.name, one.sensing_time,
                   round((case when v.inside then v.whole else hectares(v.geom, site.aoi) end)::numeric, 2)::float8,
                   one.epoch_id, st_multi(v.geom)
            from every v
            join label l using (class_id)
            where not st_isempty(v.geom);
        unknown := st_collectionextract(st_intersection(unknown, one.unseen), 3);
        exit when st_isempty(unknown);
    end loop;
end $$;
comment on function mine_on is 'Every place of a mine as it was last seen before the end of a day: polygons per class, background too, with when that was';

-- 3. What changed between two days.

create function changes_between(of_mine text, since date, until date, by_model text default null)
returns table (from_class text, to_class text, seen_before timestamptz, seen_now timestamptz,
               hectares double precision, same_weights boolean, geom geometry)
language sql stable parallel safe
begin atomic
    with site as (select aoi from mine where slug = of_mine),
    before as (select * from mine_on(of_mine, since, by_model => coalesce(by_model, model_on(of_mine, until)))),
    now as (select * from mine_on(of_mine, until, by_model => by_model)),
    both_ as (
        select b.class as from_class, n.class as to_class, b.sensing_time as seen_before, n.sensing_time as seen_now,
               (select count(distinct e.model_checksum) = 1 from epoch e where e.epoch_id in (b.epoch_id, n.epoch_id))
                   as same_weights,
               st_collectionextract(st_intersection(b.geom, n.geom), 3) as geom
        from before b
        join now n on st_intersects(b.geom, n.geom)
    )
    select from_class, to_class, seen_before, seen_now, round(hectares(geom, site.aoi)::numeric, 2)::float8,
           same_weights, st_multi(geom)
    from both_, site
    where not st_isempty(geom);
end;
comment on function changes_between is 'The ground of a mine by its class on one day and on a later one, also where both are the same, by one model; ground that was not seen before both is left out, and where other weights saw it before, part of the change may be theirs';

create function transition_matrix(of_mine text, since date, until date, by_model text default null)
returns table (from_class text, to_class text, hectares double precision, same_weights boolean)
language sql stable parallel safe
begin atomic
    select from_class, to_class, round(sum(hectares)::numeric, 2)::float8, same_weights
    from changes_between(of_mine, since, until, by_model)
    group by from_class, to_class, same_weights
    order by sum(hectares) desc;
end;
comment on function transition_matrix is 'Hectares by class on one day and on a later one';

-- 4. How fast classes grow.

create function growth(of_mine text, since date default '-infinity', until date default 'infinity',
                       least_valid double precision default 0.8)
returns table (class text, hectares_a_month double precision, epochs bigint, first_time timestamptz,
               last_time timestamptz, model text, sensor_set text)
language sql stable parallel safe
begin atomic
    with seen as (
        select * from mine_history
        where mine = of_mine and valid_share >= least_valid and sensing_time >= since
          and (until = 'infinity' or sensing_time < until + 1)
    ), slope as (
        select a.class, a.model, a.sensor_set, a.orbit_direction,
               (b.hectares / b.valid_share - a.hectares / a.valid_share)
               / (extract(epoch from b.sensing_time - a.sensing_time) / (86400 * 30.4375)) as monthly
        from seen a
        join seen b using (class, model, sensor_set, orbit_direction)
        where a.sensing_time < b.sensing_time
    )
    select s.class, round(percentile_cont(0.5) within group (order by s.monthly)::numeric, 3)::float8, n.epochs,
           n.first_time, n.last_time, s.model, s.sensor_set
    from slope s
    join (
        select class, model, sensor_set, orbit_direction, count(*) as epochs, min(sensing_time) as first_time,
               max(sensing_time) as last_time
        from seen group by class, model, sensor_set, orbit_direction
    ) n using (class, model, sensor_set, orbit_direction)
    group by s.class, s.model, s.sensor_set, s.orbit_direction, n.epochs, n.first_time, n.last_time
    order by 2 desc;
end;
comment on function growth is 'Hectares a month per class: the median of the slopes between all pairs of epochs (Theil 1950, Sen 1968), which single bad epochs and gaps do not bend';

-- 5. The fleet by growth. Months are kept as medians, so that the world's mines are compared in a second.

create table mine_month (
    month           date not null,
    mine_id         integer not null references mine,
    sensor_set      text not null,
    orbit_direction text not null,
    model           text not null,
    epochs          smallint not null,
    hectares        real[] not null,
    primary key (month, mine_id, sensor_set, orbit_direction, model)
);
create index mine_month_mine on mine_month (mine_id);
comment on table mine_month is 'Median hectares of every class in a month of a mine, over the current epochs that saw at least 0.8 of its AOI';
comment on column mine_month.month is 'Its first day';
comment on column mine_month.epochs is 'How many epochs';
comment on column mine_month.hectares is 'Of the classes 0 to 10, in their order: class 1 is hectares[2]; taken up to the whole AOI where a part was not seen';
grant insert, update, delete on mine_month to minecam_ingest;  -- derived: a month without a current epoch goes

create function fill_months(mines integer[] default null, of_month date default null) returns void
language sql
begin atomic
    delete from mine_month
    where (mines is null or mine_id = any (mines)) and (of_month is null or month = of_month);
    insert into mine_month (month, mine_id, sensor_set, orbit_direction, model, epochs, hectares)
    select month, mine_id, sensor_set, orbit_direction, model, max(epochs), array_agg(middle order by class_id)
    from (
        select date_trunc('month', e.sensing_time, 'UTC')::date as month, e.mine_id, e.sensor_set, e.orbit_direction,
               e.model, of.class_id, count(*) as epochs,
               percentile_cont(0.5) within group (order by coalesce(a.hectares, 0) * e.aoi_hectares / e.valid_hectares)
                   as middle
        from epoch e
        cross join generate_series(0, 10) as of (class_id)
        left join class_area a on a.epoch_id = e.epoch_id and a.sensing_time = e.sensing_time
                                  and a.class_id = of.class_id
        where e.superseded_at is null and e.valid_hectares >= 0.8 * e.aoi_hectares and e.valid_hectares > 0
          and (mines is null or e.mine_id = any (mines))
          and (of_month is null or e.sensing_time >= of_month::timestamp at time zone 'UTC'
               and e.sensing_time < (of_month + interval '1 month') at time zone 'UTC')
        group by 1, 2, 3, 4, 5, 6
    ) by_class
    group by month, mine_id, sensor_set, orbit_direction, model;
end;
comment on function fill_months is 'Makes mine_month anew: of all mines or some, of all months or one';

select fill_months();

create function fleet_growth(months integer default 12, of_country text default null, of_commodity text default null,
                             of_operator text default null, until date default current_date)
returns table (mine text, country text, commodity text, operator text, hectares_a_month double precision,
               share_a_month double precision, hectares double precision, months_seen bigint, last_month date)
language sql stable parallel safe
begin atomic
    with series as (
        select mine_id, sensor_set, orbit_direction, model, count(*) as months_seen, max(month) as last_month,
               regr_slope((select sum(h) from unnest(hectares[2:11]) as h), (month - date '2000-01-01') / 30.4375) as slope,
               (array_agg((select sum(h) from unnest(hectares[2:11]) as h) order by month desc))[1] as latest
        from mine_month
        where month > until - make_interval(months => months + 1) and month <= until
        group by mine_id, sensor_set, orbit_direction, model
        having count(*) > 1
    ), best as (
        select distinct on (mine_id) * from series order by mine_id, months_seen desc, last_month desc
    )
    select m.slug, m.country, m.commodity, m.operator, round(slope::numeric, 3)::float8,
           round((slope / nullif(latest, 0))::numeric, 4)::float8, round(latest::numeric, 2)::float8, months_seen,
           last_month
    from best
    join mine m using (mine_id)
    where m.retired_at is null and (of_country is null or m.country = of_country)
      and (of_commodity is null or m.commodity = of_commodity) and (of_operator is null or m.operator = of_operator)
    order by slope desc;
end;
comment on function fleet_growth is 'Mines by the growth of their footprint over the last months: the slope of its monthly medians';

-- 6. Ground mined where it should not be.

create function mined_outside(of_mine text, day date default current_date)
returns table (place text, class text, hectares double precision, since timestamptz, seen timestamptz, geom geometry)
language sql stable parallel safe
begin atomic
    with site as (select * from mine where slug = of_mine),
    mined as (select * from mine_on(of_mine, day) where class not in ('background', 'reclaimed')),
    wrong as (
        select 'outside the licence' as place, s.class, s.sensing_time, st_difference(s.geom, site.licence) as geom
        from mined s, site
        where site.licence is not null and not st_coveredby(s.geom, site.licence)
        union all
        select z.kind || ': ' || z.name, s.class, s.sensing_time, st_intersection(s.geom, z.geom)
        from mined s
        join zone z on st_intersects(s.geom, z.geom)
    ), part as (
        select w.place, w.class, w.sensing_time, (st_dump(st_collectionextract(w.geom, 3))).geom from wrong w
    )
    select p.place, p.class, round(hectares(p.geom, site.aoi)::numeric, 2)::float8,
           (select min(s.sensing_time)
            from segment s
            join epoch e on e.epoch_id = s.epoch_id
            where s.mine_id = site.mine_id and s.class_id between 1 and 9 and e.superseded_at is null
              and st_intersects(s.geom, st_pointonsurface(p.geom))),
           p.sensing_time, st_multi(p.geom)
    from part p, site
    where hectares(p.geom, site.aoi) >= 0.05
    order by 3 desc;
end;
comment on function mined_outside is 'Ground of a mine outside its licence or inside a zone, as it was last seen before the end of a day, and since when its middle has been mined ground; parts below 0.05 ha are left out';

-- 7. Alerts.

create function open_alert_as_of(moment timestamptz)
returns table (alert_id bigint, mine text, rule text, state text, severity smallint, hectares double precision,
               longitude double precision, latitude double precision, first_time timestamptz, last_time timestamptz,
               age_days integer, observations smallint[], product_ids text[], before_epochs bigint[], epoch_id bigint,
               geom geometry(MultiPolygon, 4326))
language sql stable parallel safe
begin atomic
    select a.alert_id, m.slug, r.name, v.to_state, a.severity, round(a.hectares::numeric, 2)::float8,
           round(st_x(st_pointonsurface(a.geom))::numeric, 5)::float8,
           round(st_y(st_pointonsurface(a.geom))::numeric, 5)::float8, a.first_time, a.last_time,
           extract(day from least(moment, now()) - a.first_time)::integer, a.observations, q.product_ids,
           k.previous_epochs, a.first_epoch_id, a.geom
    from alert a
    join mine m using (mine_id)
    join rule r using (rule_id)
    join lateral (
        select to_state from alert_event
        where alert_id = a.alert_id and at <= moment
        order by alert_event_id desc
        limit 1
    ) v on v.to_state in ('provisional', 'confirmed', 'acknowledged')
    join epoch e on e.epoch_id = a.first_epoch_id
    join acquisition q on q.acquisition_id = e.acquisition_id
    left join comparison k on k.epoch_id = e.epoch_id and known(k.created_at, k.superseded_at, moment)
    where a.raised_at <= moment;
end;
comment on function open_alert_as_of is 'The view open_alert as it was at a moment; outline and hectares are those of today';

create view open_alert as
select alert_id, mine, rule, state, severity, hectares, longitude, latitude, first_time, last_time, age_days,
       observations, product_ids, before_epochs, epoch_id, geom::geometry(MultiPolygon, 4326)
from open_alert_as_of('infinity');
comment on view open_alert is 'Alerts that still stand, with place, size, age, and the products and earlier epochs that show it';

create view alert_history as
select v.alert_event_id, v.alert_id, m.slug as mine, r.name as rule, v.from_state, v.to_state, v.at, v.actor, v.why,
       v.delivered_at, e.sensing_time, v.epoch_id
from alert_event v
join alert a using (alert_id)
join mine m using (mine_id)
join rule r using (rule_id)
left join epoch e on e.epoch_id = v.epoch_id;
comment on view alert_history is 'Every transition of every alert: when, why, by which epoch or person, and when it was delivered';

-- 8. The observation record.

create view observation as
select a.acquisition_id, m.slug as mine, a.sensor_set, a.sensing_time, a.published_at, a.state, a.reasons,
       round(a.aoi_coverage::numeric, 3)::float8 as aoi_coverage, round(a.valid_share::numeric, 3)::float8 as valid_share,
       round(a.cloud_share::numeric, 3)::float8 as cloud_share, a.segmented_at as stored_at,
       round(extract(epoch from a.segmented_at - a.sensing_time) / 3600, 1)::float8 as hours_from_sensing,
       round(extract(epoch from a.segmented_at - a.published_at) / 3600, 1)::float8 as hours_from_publication,
       round(a.processing_units::numeric, 3)::float8 as processing_units, a.product_ids, a.tries
from acquisition a
join mine m using (mine_id)
where a.superseded_at is null;
comment on view observation is 'Every acquisition with its state, where it was refused why, and how long it took until its epoch was stored';

create view watch as
select m.mine_id, m.slug as mine, m.country, m.commodity, e.sensing_time as last_valid_look,
       extract(day from now() - e.sensing_time)::integer as days_since,
       round((e.valid_hectares / nullif(e.aoi_hectares, 0))::numeric, 3)::float8 as valid_share,
       a.sensing_time as last_acquisition, a.state as last_state, a.reasons as last_reasons, m.aoi as geom
from mine m
left join lateral (
    select sensing_time, valid_hectares, aoi_hectares from epoch
    where mine_id = m.mine_id and superseded_at is null and valid_hectares >= 0.5 * aoi_hectares
    order by sensing_time desc
    limit 1
) e on true
left join lateral (
    select sensing_time, state, reasons from acquisition
    where mine_id = m.mine_id and superseded_at is null
    order by sensing_time desc
    limit 1
) a on true
where m.retired_at is null;
comment on view watch is 'Every mine with its last look that saw at least half of the AOI, days since then, and what became of the last acquisition';

-- 9. Dams and the water behind them.

create function dam_ponds(of_mine text, since date, until date default current_date, metres double precision default 50)
returns table (dam_hectares double precision, pond_before double precision, pond_now double precision,
               difference double precision, seen_before timestamptz, seen_now timestamptz, geom geometry)
language sql stable parallel safe
begin atomic
    with before as (select * from mine_on(of_mine, since)),
    now as (select * from mine_on(of_mine, until)),
    dam as (
        select hectares, sensing_time, geom, st_buffer(geom::geography, metres)::geometry as around
        from now where class = 'dam'
    ), pond as (
        select d.*, b.seen_before, coalesce(b.hectares, 0) as pond_before, coalesce(n.hectares, 0) as pond_now
        from dam d
        cross join lateral (
            select sum(w.hectares) as hectares,
                   (select max(k.sensing_time) from before k where st_intersects(k.geom, d.geom)) as seen_before
            from before w where w.class = 'mine_water' and st_intersects(w.geom, d.around)
        ) b
        cross join lateral (
            select sum(w.hectares) as hectares from now w where w.class = 'mine_water' and st_intersects(w.geom, d.around)
        ) n
        where b.seen_before is not null
    )
    select hectares, pond_before, pond_now, round((pond_now - pond_before)::numeric, 2)::float8, seen_before,
           sensing_time, geom
    from pond
    where pond_before > 0 or pond_now > 0
    order by pond_now - pond_before desc;
end;
comment on function dam_ponds is 'The dams of a mine with the hectares of mine water within so many metres on two days, the pond that grew most first';

-- 10. Everything about one polygon.

create view segment_lineage as
select s.segment_id, m.slug as mine, l.name as class, round(s.hectares::numeric, 2)::float8 as hectares,
       round(s.confidence::numeric, 3)::float8 as confidence, s.sensing_time, e.epoch_id, e.model, e.model_checksum,
       e.code_version, e.flow_run_id, e.created_at, e.superseded_at, e.superseded_why, e.class_raster, e.class_checksum,
       e.confidence_raster, e.confidence_checksum, q.acquisition_id, q.collection, q.product_ids, q.baseline,
       q.published_at, q.raster, q.checksum as raster_checksum, v.validations, s.geom
from segment s
join epoch e using (epoch_id)
join acquisition q using (acquisition_id)
join mine m on m.mine_id = s.mine_id
join label l using (class_id)
left join lateral (
    select jsonb_agg(jsonb_build_object('suite', suite, 'passed', passed, 'reasons', reasons, 'figures', figures,
                                        'at', validated_at) order by validation_id) as validations
    from validation where acquisition_id = q.acquisition_id
) v on true;
comment on view segment_lineage is 'Every polygon with the product, raster, model, code, run and validations that it comes from; superseded ones too';

-- 11. What it costs.

create view cost as
select min(a.acquisition_id) as cost_id, m.slug as mine, date_trunc('month', a.sensing_time, 'UTC')::date as month,
       a.state as outcome, count(*) as acquisitions, round(sum(a.processing_units)::numeric, 3)::float8 as processing_units
from acquisition a
join mine m using (mine_id)
group by m.slug, 3, a.state;
comment on view cost is 'Processing units by mine, month of sensing and what became of the acquisitions; superseded ones too, for they were paid';

-- 12. Models beside each other.

create view model_comparison as
select (e.epoch_id << 34) + abs(o.epoch_id - e.epoch_id) % (1 << 29) * 16 + a.class_id as model_comparison_id,
       m.slug as mine, e.sensing_time, l.name as class,
       e.model as one_model, o.model as other_model, round(a.hectares::numeric, 2)::float8 as one_hectares,
       round(b.hectares::numeric, 2)::float8 as other_hectares,
       round((b.hectares - a.hectares)::numeric, 2)::float8 as difference, e.epoch_id as one_epoch_id,
       o.epoch_id as other_epoch_id
from mine m
join epoch e using (mine_id)
join epoch o on o.mine_id = e.mine_id and o.sensing_time = e.sensing_time and o.model > e.model
join class_area a on a.epoch_id = e.epoch_id and a.sensing_time = e.sensing_time
join class_area b on b.epoch_id = o.epoch_id and b.sensing_time = o.sensing_time and b.class_id = a.class_id
join label l on l.class_id = a.class_id
where e.superseded_at is null and o.superseded_at is null;
comment on view model_comparison is 'Hectares per class of the same sensing as two models see it';
