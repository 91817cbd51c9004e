-- Maps: the segments of a day, outlines that stay visible in tiles, and outlines found by their index.

set local role minecam_admin;

-- An index over outlines is one of each partition, not of the table: PostGIS 3.3 looks for the extent that a table is
-- estimated to have in the index of the table, and fails where that is of partitions. Building them takes a while.
drop index segment_geom, change_geom;
do $$
declare
    one record;
begin
    for one in select inhrelid::regclass as child from pg_inherits
               where inhparent in ('segment'::regclass, 'change'::regclass) loop
        execute format('create index on %s using gist (geom)', one.child);
    end loop;
end $$;

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
            if parent <> 'class_area' then
                execute format('create index if not exists %I on minecam_years.%I using gist (geom)', name || '_geom_idx', name);
            end if;
        end if;
    end loop;
end $$;

-- Not by way of segment_as_of and change_as_of: their geometries lose the type on the way, and cast to it again no
-- index finds them.
create or replace view current_segment as
select s.segment_id, m.slug as mine, e.sensing_time, l.name as class, round(s.hectares::numeric, 2)::float8 as hectares,
       round(s.confidence::numeric, 3)::float8 as confidence, e.model, e.epoch_id, s.geom
from mine m
join epoch e using (mine_id)
join segment s on s.epoch_id = e.epoch_id and s.sensing_time = e.sensing_time
join label l using (class_id)
where e.superseded_at is null;

create or replace view current_change as
select c.change_id, m.slug as mine, c.previous_time, c.sensing_time, f.name as from_class, t.name as to_class,
       round(c.hectares::numeric, 2)::float8 as hectares, round(c.confidence::numeric, 3)::float8 as confidence, c.geom
from mine m
join change c using (mine_id)
join comparison k using (comparison_id)
join label f on f.class_id = c.from_class
join label t on t.class_id = c.to_class
where k.superseded_at is null;

create function segments_on(day date default 'infinity')
returns table (segment_id bigint, mine text, sensing_time timestamptz, class text, hectares double precision,
               confidence double precision, model text, epoch_id bigint, geom geometry)
language sql stable parallel safe
begin atomic
    select s.segment_id, m.slug, e.sensing_time, l.name, round(s.hectares::numeric, 2)::float8,
           round(s.confidence::numeric, 3)::float8, e.model, e.epoch_id, s.geom
    from mine m
    cross join lateral (
        select epoch_id, sensing_time, model from epoch
        where mine_id = m.mine_id and superseded_at is null and valid_hectares >= 0.5 * aoi_hectares
          and sensing_time < (day + 1)::timestamp at time zone 'UTC'
        order by sensing_time desc, epoch_id desc
        limit 1
    ) e
    join segment s on s.epoch_id = e.epoch_id and s.sensing_time = e.sensing_time
    join label l using (class_id);
end;
comment on function segments_on is 'The map of a day: segments of every mine''s latest epoch until the end of that day that saw at least half of the AOI; without a day, of today';

create function tile_geometry(geom geometry, bounds geometry, extent integer, buffer integer, clip boolean) returns geometry
language sql immutable parallel safe
begin atomic
    with cell as (select (st_xmax(bounds) - st_xmin(bounds)) / extent as size)
    select coalesce(
        st_asmvtgeom(st_simplify(geom, 2 * size, true), bounds, extent, buffer, clip),
        st_asmvtgeom(st_expand(st_pointonsurface(geom), 2 * size), bounds, extent, buffer, clip)
    )
    from cell;
end;
comment on function tile_geometry is 'Like ST_AsMVTGeom, but what is smaller than a cell of the tile''s grid becomes a square of four cells instead of nothing; outlines are simplified by two cells';
