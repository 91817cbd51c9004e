-- Questions that lay segments over one another, for mines with hundreds of them an epoch: the answers are those of
-- before, but for slivers without area.

set local role minecam_admin;

-- Only what is looked at is put together: the epochs are sorted by their index, and their unseen ground is fetched one
-- by one until all ground is known.
create or replace function looks_on(of_mine text, day date, known_at timestamptz, by_model text)
returns table (epoch_id bigint, sensing_time timestamptz, model_checksum text, ground geometry)
language plpgsql stable parallel safe rows 1 set search_path = minecam, public as $$
declare
    site mine;
    seen_by text := coalesce(by_model, model_on(of_mine, day, known_at));
    unknown geometry;
    one record;
begin
    select * into site from mine where slug = of_mine;
    if not found then
        raise exception 'no mine %', of_mine using hint = 'select slug from mine';
    end if;
    unknown := site.aoi;
    for one in
        select l.epoch_id, l.sensing_time, l.model_checksum, u.geom as unseen
        from (
            select e.epoch_id, e.sensing_time, e.model_checksum
            from epoch e
            where e.mine_id = site.mine_id and e.sensing_time < day + 1 and e.valid_hectares > 0
              and known(e.created_at, e.superseded_at, known_at) and e.model = seen_by
            order by e.sensing_time desc, e.epoch_id desc
            limit 50
        ) l
        left join epoch_unseen u using (epoch_id)
        order by l.sensing_time desc, l.epoch_id desc
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

create function within(geom geometry, ground geometry) returns geometry
language sql immutable parallel safe
begin atomic
    select case when st_covers(ground, geom) then geom
                when geom && ground then st_multi(st_collectionextract(st_intersection(geom, ground), 3))
                else 'srid=4326;multipolygon empty'::geometry end;
end;
comment on function within is 'What of polygons lies on a ground: as they are where all of them does, as most of a mine''s segments';

create function together(polygons geometry) returns geometry
language sql immutable parallel safe
begin atomic
    select st_buffer(polygons, 0);
end;
comment on function together is 'The union of valid polygons that hardly overlap, as segments do: a buffer of nothing lays all edges over one another once, where ST_Union does so again and again';

create function seen_on(of_mine text, day date, known_at timestamptz default 'infinity', by_model text default null)
returns table (class_id smallint, sensing_time timestamptz, hectares double precision, epoch_id bigint, geom geometry)
language sql stable parallel safe
begin atomic
    with site as (select aoi from mine where slug = of_mine),
    look as materialized (select * from looks_on(of_mine, day, known_at, by_model)),
    part as materialized (
        select s.class_id, l.sensing_time, s.hectares as whole, l.epoch_id, s.geom as outline, within(s.geom, l.ground) as geom
        from look l
        join segment s on s.epoch_id = l.epoch_id and s.sensing_time = l.sensing_time
    )
    select p.class_id, p.sensing_time, case when p.geom = p.outline then p.whole else hectares(p.geom, site.aoi) end,
           p.epoch_id, p.geom
    from part p, site
    where not st_isempty(p.geom)
    union all
    select 0::smallint, l.sensing_time, null, l.epoch_id, l.ground from look l;
end;
comment on function seen_on is 'What mine_on is made of: the segments of every place as it was last seen before the end of a day, and as class 0 all ground of each look, not only the background';

create or replace function mine_on(of_mine text, day date, known_at timestamptz default 'infinity', by_model text default null)
returns table (class text, sensing_time timestamptz, hectares double precision, epoch_id bigint, geom geometry)
language sql stable parallel safe
begin atomic
    with site as (select aoi from mine where slug = of_mine),
    seen as materialized (select * from seen_on(of_mine, day, known_at, by_model)),
    rest as materialized (
        select g.sensing_time, g.epoch_id, st_multi(st_collectionextract(st_difference(g.geom,
                   coalesce(together(s.geoms), 'srid=4326;polygon empty'::geometry)), 3)) as geom
        from seen g
        cross join lateral (select st_collect(s.geom) as geoms from seen s where s.class_id > 0 and s.epoch_id = g.epoch_id) s
        where g.class_id = 0
    ), every as (
        select s.class_id, s.sensing_time, s.hectares, s.epoch_id, s.geom from seen s where s.class_id > 0
        union all
        select 0, r.sensing_time, hectares(r.geom, site.aoi), r.epoch_id, r.geom from rest r, site where not st_isempty(r.geom)
    )
    select l.name, v.sensing_time, round(v.hectares::numeric, 2)::float8, v.epoch_id, v.geom
    from every v
    join label l using (class_id);
end;

create or replace function laid_over(of_mine text, since date, until date, by_model text)
returns table (from_class smallint, to_class smallint, seen_before timestamptz, seen_now timestamptz,
               hectares double precision, same_weights boolean, geom geometry)
language sql stable parallel safe
begin atomic
    with site as (select aoi from mine where slug = of_mine),
    both_ as materialized (
        select b.epoch_id as e_before, n.epoch_id as e_now, b.sensing_time as seen_before, n.sensing_time as seen_now,
               b.model_checksum = n.model_checksum as same_weights,
               st_collectionextract(st_intersection(b.ground, n.ground), 3) as ground,
               row_number() over () as pair
        from looks_on(of_mine, since, 'infinity', coalesce(by_model, model_on(of_mine, until))) b
        cross join looks_on(of_mine, until, 'infinity', by_model) n
    ),
    outline as materialized (
        select o.pair, side.now, s.segment_id, s.class_id, within(s.geom, o.ground) as geom
        from both_ o
        cross join lateral (values (false, o.e_before, o.seen_before), (true, o.e_now, o.seen_now))
              as side (now, epoch_id, sensing_time)
        join segment s on s.epoch_id = side.epoch_id and s.sensing_time = side.sensing_time
        where not st_isempty(o.ground)
    ),
    face as materialized (
        select f.pair, row_number() over () as face, f.geom
        from (
            select o.pair, (st_dump(st_polygonize(array[o.edges]))).geom
            from (select pair, st_unaryunion(st_collect(st_boundary(geom))) as edges from outline group by pair) o
        ) f
        where st_area(f.geom) > 1e-15
    ),
    inside as materialized (
        select f.pair, f.face, st_y(f.at) as y, st_x(f.at) as x, floor(st_y(f.at) * 1000)::integer as strip, f.at
        from (select pair, face, st_pointonsurface(geom) as at from face) f
    ),
    strip as materialized (
        select o.*, st_xmin(o.geom) as west, st_xmax(o.geom) as east, s.strip
        from outline o,
             generate_series(floor(st_ymin(o.geom) * 1000)::integer, floor(st_ymax(o.geom) * 1000)::integer) as s (strip)
    ),
    owned as materialized (
        select s.now, s.segment_id, s.class_id, i.face
        from strip s
        join inside i on i.pair = s.pair and i.strip = s.strip and i.x between s.west and s.east
        where st_intersects(s.geom, i.at)
    ),
    part as materialized (
        select f.pair, coalesce(b.class_id, 0)::smallint as from_class, coalesce(n.class_id, 0)::smallint as to_class,
               st_multi(case when count(*) = 1 then (array_agg(f.geom))[1] else st_unaryunion(st_collect(f.geom)) end) as geom
        from (select * from owned where not now) b
        full join (select * from owned where now) n on n.face = b.face
        join face f on f.face = coalesce(b.face, n.face)
        group by f.pair, b.segment_id, n.segment_id, b.class_id, n.class_id
    ),
    measured as materialized (
        select p.pair, p.from_class, p.to_class, hectares(p.geom, site.aoi) as hectares, p.geom from part p, site
    )
    select m.from_class, m.to_class, o.seen_before, o.seen_now, m.hectares, o.same_weights, m.geom
    from measured m
    join both_ o using (pair)
    union all
    select 0, 0, o.seen_before, o.seen_now,
           hectares(o.ground, site.aoi) - coalesce((select sum(m.hectares) from measured m where m.pair = o.pair), 0),
           o.same_weights, null
    from both_ o, site
    where not st_isempty(o.ground);
end;

create or replace function mined_outside(of_mine text, day date default current_date)
returns table (place text, class text, hectares double precision, since timestamptz, seen timestamptz, geom geometry)
language sql stable parallel safe
begin atomic
    with site as (select * from mine where slug = of_mine),
    mined as materialized (select * from seen_on(of_mine, day) where class_id between 1 and 9),
    inside as materialized (
        select z.kind || ': ' || z.name as place, near(z.geom, site.aoi) as geom
        from site
        join zone z on st_intersects(z.geom, site.aoi) and (z.retired_at is null or day < z.retired_at::date)
    ), wrong as (
        select 'outside the licence' as place, s.class_id, s.sensing_time, st_difference(s.geom, site.licence) as geom
        from mined s, site
        where site.licence is not null and not st_covers(site.licence, s.geom)
        union all
        select z.place, s.class_id, s.sensing_time, within(s.geom, z.geom)
        from inside z
        join mined s on s.geom && z.geom
    ), part as materialized (
        select p.place, p.class_id, p.sensing_time, p.geom, hectares(p.geom, site.aoi) as hectares
        from (select w.place, w.class_id, w.sensing_time, (st_dump(st_collectionextract(w.geom, 3))).geom from wrong w) p,
             site
    )
    select p.place, l.name, round(p.hectares::numeric, 2)::float8,
           (select min(s.sensing_time)
            from segment s
            join epoch e on e.epoch_id = s.epoch_id
            where s.mine_id = site.mine_id and s.class_id between 1 and 9 and e.superseded_at is null
              and st_intersects(s.geom, st_pointonsurface(p.geom))),
           p.sensing_time, st_multi(p.geom)
    from part p
    join label l using (class_id), site
    where p.hectares >= 0.05
    order by 3 desc;
end;

create or replace function dam_ponds(of_mine text, since date, until date default current_date, metres double precision default 50)
returns table (dam_hectares double precision, pond_before double precision, pond_now double precision,
               difference double precision, tailings_before double precision, tailings_now double precision,
               seen_before timestamptz, seen_now timestamptz, geom geometry)
language sql stable parallel safe
begin atomic
    with zone as (select utm_epsg(aoi) as epsg from mine where slug = of_mine),
    look as materialized (select * from looks_on(of_mine, since, 'infinity', null)),
    before as materialized (select s.*, to_utm(s.geom, epsg) as place from seen_on(of_mine, since) s, zone where class_id in (4, 6)),
    now as materialized (select s.*, to_utm(s.geom, epsg) as place from seen_on(of_mine, until) s, zone where class_id in (4, 5, 6)),
    dam as materialized (
        select sum(hectares) as hectares, max(sensing_time) as sensing_time, st_multi(st_union(geom)) as geom,
               st_collect(place) as place
        from (select *, st_clusterdbscan(place, 2 * metres + 0.001, 1) over () as dam from now where class_id = 5) n
        group by n.dam
    ), beside as (
        select d.*, b.seen_before, coalesce(b.water, 0) as pond_before, coalesce(n.water, 0) as pond_now,
               coalesce(b.tailings, 0) as tailings_before, coalesce(n.tailings, 0) as tailings_now
        from dam d
        cross join lateral (
            select sum(w.hectares) filter (where w.class_id = 6) as water,
                   sum(w.hectares) filter (where w.class_id = 4) as tailings,
                   (select max(l.sensing_time) from look l where st_intersects(l.ground, d.geom)) as seen_before
            from before w where st_dwithin(d.place, w.place, metres + 0.001)
        ) b
        cross join lateral (
            select sum(w.hectares) filter (where w.class_id = 6) as water,
                   sum(w.hectares) filter (where w.class_id = 4) as tailings
            from now w where w.class_id in (4, 6) and st_dwithin(d.place, w.place, metres + 0.001)
        ) n
        where b.seen_before is not null
    )
    select round(hectares::numeric, 2)::float8, round(pond_before::numeric, 2)::float8, round(pond_now::numeric, 2)::float8,
           round((pond_now - pond_before)::numeric, 2)::float8, round(tailings_before::numeric, 2)::float8,
           round(tailings_now::numeric, 2)::float8, seen_before, sensing_time, geom
    from beside
    where pond_before > 0 or pond_now > 0
    order by pond_now - pond_before desc, beside.hectares desc;
end;
