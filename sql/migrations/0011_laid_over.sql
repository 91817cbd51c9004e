-- What changed between two days, polygon by polygon. Laying the background of one day, which has a hole for every
-- segment, over that of another took most of the time, and nobody asked for what came of it.

set local role minecam_admin;

create function looks_on(of_mine text, day date, known_at timestamptz, by_model text)
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
        left join unseen u using (epoch_id)
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
comment on function looks_on is 'The epochs that saw a place of a mine last before the end of a day, the latest first, and which ground each of them saw last';

create or replace function mine_on(of_mine text, day date, known_at timestamptz default 'infinity', by_model text default null)
returns table (class text, sensing_time timestamptz, hectares double precision, epoch_id bigint, geom geometry)
language plpgsql stable parallel safe rows 20 set search_path = minecam, public as $$
declare
    one record;
    of_aoi geometry := (select aoi from mine where slug = of_mine);
begin
    for one in select * from looks_on(of_mine, day, known_at, by_model) loop
        return query
            with part as (
                select s.class_id, s.hectares as whole, st_collectionextract(st_intersection(s.geom, one.ground), 3) as geom,
                       st_coveredby(s.geom, one.ground) as inside
                from segment s
                where s.epoch_id = one.epoch_id and s.sensing_time = one.sensing_time
                  and st_intersects(s.geom, one.ground)
            ), rest as (
                select 0::smallint as class_id, null::real as whole, false as inside,
                       st_collectionextract(st_difference(one.ground, coalesce((select st_union(p.geom) from part p),
                                            'srid=4326;polygon empty'::geometry)), 3) as geom
            ), every as (
                select p.class_id, p.whole, p.geom, p.inside from part p
                union all
                select r.class_id, r.whole, r.geom, r.inside from rest r
            )
            select l.name, one.sensing_time,
                   round((case when v.inside then v.whole else hectares(v.geom, of_aoi) end)::numeric, 2)::float8,
                   one.epoch_id, st_multi(v.geom)
            from every v
            join label l using (class_id)
            where not st_isempty(v.geom);
    end loop;
end $$;

create function laid_over(of_mine text, since date, until date, by_model text)
returns table (from_class smallint, to_class smallint, seen_before timestamptz, seen_now timestamptz,
               hectares double precision, same_weights boolean, geom geometry)
language sql stable parallel safe
begin atomic
    with site as (select aoi from mine where slug = of_mine),
    both_ as materialized (
        select b.epoch_id as e_before, n.epoch_id as e_now, b.sensing_time as seen_before, n.sensing_time as seen_now,
               b.model_checksum = n.model_checksum as same_weights,
               st_collectionextract(st_intersection(b.ground, n.ground), 3) as ground
        from looks_on(of_mine, since, 'infinity', coalesce(by_model, model_on(of_mine, until))) b
        cross join looks_on(of_mine, until, 'infinity', by_model) n
    ),
    before as materialized (
        select o.e_before, o.e_now, s.segment_id, s.class_id, g.geom
        from both_ o
        join segment s on s.epoch_id = o.e_before and s.sensing_time = o.seen_before and st_intersects(s.geom, o.ground)
        cross join lateral (select case when st_coveredby(s.geom, o.ground) then s.geom
                                        else st_collectionextract(st_intersection(s.geom, o.ground), 3) end as geom) g
    ),
    now as materialized (
        select o.e_before, o.e_now, s.segment_id, s.class_id, g.geom
        from both_ o
        join segment s on s.epoch_id = o.e_now and s.sensing_time = o.seen_now and st_intersects(s.geom, o.ground)
        cross join lateral (select case when st_coveredby(s.geom, o.ground) then s.geom
                                        else st_collectionextract(st_intersection(s.geom, o.ground), 3) end as geom) g
    ),
    pair as materialized (
        select b.e_before, b.e_now, b.segment_id as s_before, n.segment_id as s_now, b.class_id as from_class,
               n.class_id as to_class, b.geom as g_before, n.geom as g_now
        from before b
        join now n on n.e_before = b.e_before and n.e_now = b.e_now and st_intersects(b.geom, n.geom)
    ),
    part as materialized (  -- else every difference is made anew for each look at it
        select e_before, e_now, from_class, to_class, st_collectionextract(st_intersection(g_before, g_now), 3) as geom
        from pair
        union all
        select b.e_before, b.e_now, b.class_id, 0, st_collectionextract(
            coalesce(st_difference(b.geom, (select st_union(p.g_now) from pair p
                                            where p.e_now = b.e_now and p.s_before = b.segment_id)), b.geom), 3)
        from before b
        union all
        select n.e_before, n.e_now, 0, n.class_id, st_collectionextract(
            coalesce(st_difference(n.geom, (select st_union(p.g_before) from pair p
                                            where p.e_before = n.e_before and p.s_now = n.segment_id)), n.geom), 3)
        from now n
    ),
    measured as materialized (
        select e_before, e_now, from_class, to_class, hectares(geom, site.aoi) as hectares, st_multi(geom) as geom
        from part, site
        where not st_isempty(geom)
    )
    select m.from_class, m.to_class, o.seen_before, o.seen_now, m.hectares, o.same_weights, m.geom
    from measured m
    join both_ o using (e_before, e_now)
    union all
    select 0, 0, o.seen_before, o.seen_now,
           hectares(o.ground, site.aoi) - coalesce((select sum(m.hectares) from measured m
                                                    where m.e_before = o.e_before and m.e_now = o.e_now), 0),
           o.same_weights, null
    from both_ o, site
    where not st_isempty(o.ground);
end;
comment on function laid_over is 'What changes_between and transition_matrix are made of; of the ground that is background on both days the hectares only';

create or replace function changes_between(of_mine text, since date, until date, by_model text default null)
returns table (from_class text, to_class text, seen_before timestamptz, seen_now timestamptz,
               hectares double precision, same_weights boolean, geom geometry)
language sql stable parallel safe
begin atomic
    select f.name, t.name, o.seen_before, o.seen_now, round(o.hectares::numeric, 2)::float8, o.same_weights, o.geom
    from laid_over(of_mine, since, until, by_model) o
    join label f on f.class_id = o.from_class
    join label t on t.class_id = o.to_class
    where o.geom is not null;
end;
comment on function changes_between is 'The mined ground of a mine by its class on one day and on a later one, also where both are the same, by one model; ground that was not seen before both is left out, and so is what is background on both; where other weights saw it before (same_weights is false), part of the change may be theirs';

create or replace function transition_matrix(of_mine text, since date, until date, by_model text default null)
returns table (from_class text, to_class text, hectares double precision, same_weights boolean)
language sql stable parallel safe
begin atomic
    select f.name, t.name, round(sum(o.hectares)::numeric, 2)::float8, o.same_weights
    from laid_over(of_mine, since, until, by_model) o
    join label f on f.class_id = o.from_class
    join label t on t.class_id = o.to_class
    group by f.name, t.name, o.same_weights
    having sum(o.hectares) >= 0.005
    order by 3 desc;
end;
