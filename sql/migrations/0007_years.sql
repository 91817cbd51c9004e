-- What grows without end lies in one partition for each year of sensing, in the schema minecam_years: a question about
-- a date touches one year, and a year can be loaded, indexed, archived and vacuumed by itself.

set local role minecam_admin;

create schema if not exists minecam_years;
comment on schema minecam_years is 'Partitions of the tables of minecam, by year of sensing: ask those, not these';

drop view mine_history, current_segment, current_change;

alter table segment rename to segment_before;
alter table class_area rename to class_area_before;
alter table change rename to change_before;
alter table segment_before rename constraint segment_pkey to segment_before_pkey;
alter table class_area_before rename constraint class_area_pkey to class_area_before_pkey;
alter table change_before rename constraint change_pkey to change_before_pkey;
drop index segment_epoch, segment_geom, change_comparison, change_mine_time, change_geom;
create sequence segment_ids;
create sequence change_ids;
grant usage on sequence segment_ids, change_ids to minecam_ingest;

create table segment (
    segment_id   bigint not null default nextval('segment_ids'),
    epoch_id     bigint not null references epoch,
    mine_id      integer not null,
    class_id     smallint not null,
    sensing_time timestamptz not null,
    hectares     real not null,
    confidence   real not null,
    geom         geometry(MultiPolygon, 4326) not null,
    primary key (segment_id, sensing_time)
) partition by range (sensing_time);
create index segment_epoch on segment (epoch_id);
create index segment_geom on segment using gist (geom);
comment on table segment is 'One polygon of one class in one epoch';
comment on column segment.epoch_id is 'The epoch that it is of; mine_id and sensing_time are that epoch''s';
comment on column segment.hectares is 'From the pixels of the class raster';
comment on column segment.confidence is 'Mean confidence (0-1) of its pixels';

create table class_area (
    epoch_id     bigint not null references epoch,
    class_id     smallint not null,
    sensing_time timestamptz not null,
    hectares     real not null,
    confidence   real,
    primary key (epoch_id, class_id, sensing_time)
) partition by range (sensing_time);
comment on table class_area is 'Hectares and mean confidence (0-1) of every class in an epoch, from the class raster';
comment on column class_area.sensing_time is 'That of the epoch';
comment on column class_area.hectares is 'On the ground that was seen';
comment on column class_area.confidence is 'Null for a class that was not found';

create table change (
    change_id     bigint not null default nextval('change_ids'),
    comparison_id bigint not null references comparison,
    mine_id       integer not null,
    from_class    smallint not null,
    to_class      smallint not null,
    hectares      real not null,
    confidence    real not null,
    previous_time timestamptz not null,
    sensing_time  timestamptz not null,
    geom          geometry(MultiPolygon, 4326) not null,
    primary key (change_id, sensing_time)
) partition by range (sensing_time);
create index change_comparison on change (comparison_id);
create index change_mine_time on change (mine_id, sensing_time);
create index change_geom on change using gist (geom);
comment on table change is 'A polygon whose class differs between an epoch and its previous epoch';
comment on column change.hectares is 'From its pixels';
comment on column change.confidence is 'Mean confidence (0-1) of its pixels, of the less sure side';
comment on column change.previous_time is 'Latest sensing time of the previous observations of its pixels';

create table minecam_years.segment_other partition of segment default;
create table minecam_years.class_area_other partition of class_area default;
create table minecam_years.change_other partition of change default;

create function add_year(moment timestamptz) returns void
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
        end if;
    end loop;
end $$;
comment on function add_year is 'Makes the partitions for the year of a moment, unless they are there';
revoke execute on function add_year from public;
grant execute on function add_year to minecam_ingest;

do $$
begin
    perform add_year(sensing_time) from (select distinct on (date_trunc('year', sensing_time)) sensing_time from epoch) e;
end $$;

insert into segment (segment_id, epoch_id, mine_id, class_id, sensing_time, hectares, confidence, geom)
select s.segment_id, s.epoch_id, s.mine_id, s.class_id, e.sensing_time, s.hectares, s.confidence, s.geom
from segment_before s
join epoch e using (epoch_id);
insert into class_area (epoch_id, class_id, sensing_time, hectares, confidence)
select a.epoch_id, a.class_id, e.sensing_time, a.hectares, a.confidence
from class_area_before a
join epoch e using (epoch_id);
insert into change (change_id, comparison_id, mine_id, from_class, to_class, hectares, confidence, previous_time,
                    sensing_time, geom)
select change_id, comparison_id, mine_id, from_class, to_class, hectares, confidence, previous_time, sensing_time, geom
from change_before;
select setval('segment_ids', (select coalesce(max(segment_id), 0) + 1 from segment), false),
       setval('change_ids', (select coalesce(max(change_id), 0) + 1 from change), false);
drop table segment_before, class_area_before, change_before;

grant insert on segment, class_area, change to minecam_ingest;

-- As-of questions see superseded epochs too, so the index over a mine's epochs holds all.
drop index epoch_mine_time;
create index epoch_mine_time on epoch (mine_id, sensing_time);
create index comparison_epoch on comparison (epoch_id);

create table unseen (
    epoch_id bigint primary key references epoch,
    geom     geometry(MultiPolygon, 4326) not null
);
comment on table unseen is 'Ground of the AOI that an epoch did not truly observe: cloud, shadow, outside the swath; epochs that saw all, and those before this was kept, have none';
grant insert on unseen to minecam_ingest;
