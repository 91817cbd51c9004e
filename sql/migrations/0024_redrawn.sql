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
