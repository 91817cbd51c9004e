-- The partitions of a year are made by one of the workers that come upon it at the same time: the others wait for it.

set local role minecam_admin;

create or replace function add_year(moment timestamptz) returns void
language plpgsql security definer set search_path = minecam, public, pg_temp as $$
declare
    parent text;
    first timestamptz := date_trunc('year', moment, 'UTC');
    year text := to_char(first at time zone 'UTC', 'YYYY');
    name text;
begin
    if to_regclass('minecam_years.change_' || year) is not null then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtext('minecam.years'));
    foreach parent in array array['segment', 'class_area', 'change'] loop
        name := parent || '_' || year;
        if to_regclass('minecam_years.' || name) is null then
            execute format('create table minecam_years.%I partition of %I for values from (%L) to (%L)',
                           name, parent, first, (first at time zone 'UTC' + interval '1 year') at time zone 'UTC');
            perform comment_as(format('minecam_years.%I', name)::regclass, parent::regclass);
            if parent <> 'class_area' then
                execute format('create index if not exists %I on minecam_years.%I using gist (geom)', name || '_geom_idx', name);
            end if;
        end if;
    end loop;
end $$;
