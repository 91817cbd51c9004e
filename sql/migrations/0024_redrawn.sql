-- Zones and mines that are retired, outlines that are redrawn. Nothing is deleted: what was stands beside what is.

set local role minecam_admin;

-- 1. Zones.

alter table zone add registered_at timestamptz not null default now(), add retired_at timestamptz, add retired_why text,
                 add retired_by text;
comment on column zone.kind is 'Kind of zone: protected, indigenous, water, settlement, no-go, or what stood there before there were these';
comment on column zone.registered_at is 'Since when it is recorded';
comment on column zone.retired_at is 'Since when it counts no more; null: it counts';
comment on column zone.retired_why is 'Why it was retired';
comment on column zone.retired_by is 'Who retired it';

update zone set geom = st_multi(st_collectionextract(st_makevalid(geom), 3)) where not st_isvalid(geom);
alter table zone add constraint zone_is_valid check (st_isvalid(geom));

create or replace function mined_outside(of_mine text, day date default current_date)
returns table (place text, class text, hectares double precision, since timestamptz, seen timestamptz, geom geometry)
language sql stable parallel safe
begin atomic
    with site as (select * from mine where slug = of_mine),
    mined as (select * from mine_on(of_mine, day) where class not in ('background', 'reclaimed')),
    within as materialized (
        select z.kind || ': ' || z.name as place, near(z.geom, site.aoi) as geom
        from site
        join zone z on st_intersects(z.geom, site.aoi) and (z.retired_at is null or day < z.retired_at::date)
    ), wrong as (
        select 'outside the licence' as place, s.class, s.sensing_time, st_difference(s.geom, site.licence) as geom
        from mined s, site
        where site.licence is not null and not st_coveredby(s.geom, site.licence)
        union all
        select z.place, s.class, s.sensing_time, st_intersection(s.geom, z.geom)
        from mined s
        join within z on st_intersects(s.geom, z.geom)
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
comment on function mined_outside is 'Ground of a mine outside its licence or inside a zone that counted on a day, as it was last seen before the end of it, and since when its middle has been mined ground; parts below 0.05 ha are left out';

-- 2. Mines: what people edited, and since when the AOI is as it is. Epochs of before stay; what lies outside their AOI
-- they did not see, and how fast a mine grows is said by those of today's AOI alone.

create table mine_edit (
    mine_edit_id integer generated always as identity primary key,
    mine_id      integer not null references mine,
    edit         text not null check (edit in ('aoi', 'licence', 'words', 'retired', 'resumed')),
    geom         geometry(MultiPolygon, 4326),
    words        jsonb,
    who          text not null,
    why          text not null,
    at           timestamptz not null default now()
);
create index mine_edit_mine on mine_edit (mine_id, at);
comment on table mine_edit is 'What people edited of a mine, with what stood there before';
comment on column mine_edit.mine_edit_id is 'Key';
comment on column mine_edit.mine_id is 'The mine';
comment on column mine_edit.edit is 'aoi, licence: another outline; words: name, country and the like; retired: no longer watched; resumed: watched again';
comment on column mine_edit.geom is 'The AOI or licence that was superseded; null: there was none, or another edit';
comment on column mine_edit.words is 'The words that were superseded, by column';
comment on column mine_edit.who is 'Who decided';
comment on column mine_edit.why is 'The reason';
comment on column mine_edit.at is 'When; the outline before counted until then';
grant insert on mine_edit to minecam_ingest;

alter table mine add aoi_since timestamptz;
comment on column mine.aoi_since is 'Since when the AOI is as it is: epochs made before are of another one; null: as it was registered';

create view epoch_unseen as
select e.epoch_id,
       case when before.geom is null then u.geom
            else st_multi(st_collectionextract(st_union(coalesce(u.geom, 'srid=4326;multipolygon empty'),
                                                        st_difference(m.aoi, before.geom)), 3))
       end::geometry(MultiPolygon, 4326) as geom
from epoch e
join mine m using (mine_id)
left join unseen u using (epoch_id)
left join lateral (
    select o.geom from mine_edit o
    where o.mine_id = e.mine_id and o.edit = 'aoi' and o.at > e.created_at and e.created_at < m.aoi_since
    order by o.at
    limit 1
) before on true;
comment on view epoch_unseen is 'Ground of today''s AOI that an epoch did not truly observe: what it could not see (unseen), and what lies outside the AOI of its day';
comment on column epoch_unseen.epoch_id is 'The epoch';
comment on column epoch_unseen.geom is 'Outline, EPSG:4326; null: it saw all';

create or replace function looks_on(of_mine text, day date, known_at timestamptz, by_model text)
returns table (epoch_id bigint, sensing_time timestamptz, model_checksum text, ground geometry)
language plpgsql stable parallel safe rows 1 set search_path = minecam, public as $$
declare
    site mine;
    unknown geometry;
    one record;
begin
    select * into site from mine where slug = of_mine;
    if not found then
        raise exception 'no mine %', of_mine using hint = 'select slug from mine';
    end if;
    unknown := site.aoi;
    for one in
        select e.epoch_id, e.sensing_time, e.model_checksum, u.geom as unseen
        from epoch e
        left join epoch_unseen u using (epoch_id)
        where e.mine_id = site.mine_id and e.sensing_time < day + 1 and e.valid_hectares > 0
          and known(e.created_at, e.superseded_at, known_at)
          and e.model = coalesce(by_model, model_on(of_mine, day, known_at))
        order by e.sensing_time desc, e.epoch_id desc
        limit 50
    loop
        ground := unknown;
        if one.unseen is not null then
            ground := st_collectionextract(st_difference(unknown, one.unseen), 3);
            unknown := st_collectionextract(st_intersection(unknown, one.unseen), 3);
        end if;
        if not st_isempty(ground) then
            epoch_id := one.epoch_id;
            sensing_time := one.sensing_time;
            model_checksum := one.model_checksum;
            return next;
        end if;
        exit when one.unseen is null or st_isempty(unknown);
    end loop;
end $$;

create or replace function growth(of_mine text, since date default '-infinity', until date default 'infinity',
                                  least_valid double precision default 0.8)
returns table (class text, hectares_a_month double precision, epochs bigint, first_time timestamptz,
               last_time timestamptz, model text, sensor_set text)
language sql stable parallel safe
begin atomic
    with seen as (
        select h.*
        from mine_history h
        join epoch e on e.epoch_id = h.epoch_id
        join mine m on m.mine_id = e.mine_id
        where h.mine = of_mine and h.valid_share >= least_valid and h.sensing_time >= since
          and (until = 'infinity' or h.sensing_time < until + 1)
          and (m.aoi_since is null or e.created_at >= m.aoi_since)
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

create or replace function fill_months(mines integer[] default null, of_month date default null) returns void
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
        join mine m on m.mine_id = e.mine_id and (m.aoi_since is null or e.created_at >= m.aoi_since)
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
