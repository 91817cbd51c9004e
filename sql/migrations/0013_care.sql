-- Tailings beside dams; comments on what lacked them, partitions to come too.

set local role minecam_admin;

drop function dam_ponds;
create function dam_ponds(of_mine text, since date, until date default current_date, metres double precision default 50)
returns table (dam_hectares double precision, pond_before double precision, pond_now double precision,
               difference double precision, tailings_before double precision, tailings_now double precision,
               seen_before timestamptz, seen_now timestamptz, geom geometry)
language sql stable parallel safe
begin atomic
    with before as (select * from mine_on(of_mine, since)),
    now as (select * from mine_on(of_mine, until)),
    dam as (
        select hectares, sensing_time, geom, st_buffer(geom::geography, metres)::geometry as around
        from now where class = 'dam'
    ), beside as (
        select d.*, b.seen_before, coalesce(b.water, 0) as pond_before, coalesce(n.water, 0) as pond_now,
               coalesce(b.tailings, 0) as tailings_before, coalesce(n.tailings, 0) as tailings_now
        from dam d
        cross join lateral (
            select sum(w.hectares) filter (where w.class = 'mine_water') as water,
                   sum(w.hectares) filter (where w.class = 'tailings') as tailings,
                   (select max(k.sensing_time) from before k where st_intersects(k.geom, d.geom)) as seen_before
            from before w where w.class in ('mine_water', 'tailings') and st_intersects(w.geom, d.around)
        ) b
        cross join lateral (
            select sum(w.hectares) filter (where w.class = 'mine_water') as water,
                   sum(w.hectares) filter (where w.class = 'tailings') as tailings
            from now w where w.class in ('mine_water', 'tailings') and st_intersects(w.geom, d.around)
        ) n
        where b.seen_before is not null
    )
    select hectares, round(pond_before::numeric, 2)::float8, round(pond_now::numeric, 2)::float8,
           round((pond_now - pond_before)::numeric, 2)::float8, round(tailings_before::numeric, 2)::float8,
           round(tailings_now::numeric, 2)::float8, seen_before, sensing_time, geom
    from beside
    where pond_before > 0 or pond_now > 0
    order by pond_now - pond_before desc;
end;
comment on function dam_ponds is 'The dams of a mine with the hectares of mine water, and of tailings, within so many metres on two days; the pond that grew most first';

comment on schema minecam is 'Mines, what was seen of them, and what changed: sql/README.md says what to ask';

create function comment_as(child regclass, parent regclass) returns void
language plpgsql set search_path = minecam, public as $$
declare
    one record;
begin
    execute format('comment on table %s is %L', child, 'Partition of ' || parent || ': ask that');
    for one in select attname, col_description(attrelid, attnum) as words
               from pg_attribute where attrelid = parent and attnum > 0 and not attisdropped loop
        execute format('comment on column %s.%I is %L', child, one.attname, one.words);
    end loop;
end $$;
comment on function comment_as is 'Gives a partition the comments of its table';
revoke execute on function comment_as from public;

create or replace function add_year(moment timestamptz) returns void
language plpgsql security definer set search_path = minecam, public, pg_temp as $$
declare
    parent text;
    first timestamptz := date_trunc('year', moment, 'UTC');
    name text;
begin
    foreach parent in array array['segment', 'class_area', 'change'] loop
        name := parent || '_' || to_char(first at time zone 'UTC', 'YYYY');
        if to_regclass('minecam_years.' || name) is null then
            execute format('create table if not exists minecam_years.%I partition of %I for values from (%L) to (%L)',
                           name, parent, first, (first at time zone 'UTC' + interval '1 year') at time zone 'UTC');
            perform comment_as(format('minecam_years.%I', name)::regclass, parent::regclass);
        end if;
    end loop;
end $$;

select comment_as(inhrelid::regclass, inhparent::regclass)
from pg_inherits
where inhparent in ('segment'::regclass, 'class_area'::regclass, 'change'::regclass);

-- What QGIS may have made, and then owns.
reset role;
do $$
declare
    name text;
begin
    comment on table public.layer_styles is 'Styles of the layers, where QGIS looks for them';
    for name in select attname from pg_attribute
                where attrelid = 'public.layer_styles'::regclass and attnum > 0 and not attisdropped loop
        execute format('comment on column public.layer_styles.%I is %L', name, 'As QGIS has it');
    end loop;
exception when insufficient_privilege then null;
end $$;
