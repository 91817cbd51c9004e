-- Who may do what. People read as minecam_read, flows and commands write as minecam_ingest, and minecam_admin owns the
-- schema: it migrates, and edits rules, zones and labels. They may log in, and have no password: a server that asks
-- for one lets nobody in before `alter role ... password` gave it. Roles are of the whole server, so they may be there.

do $$
declare
    name text;
begin
    foreach name in array array['minecam_admin', 'minecam_ingest', 'minecam_read'] loop
        if not exists (select from pg_roles where rolname = name) then
            begin
                execute format('create role %I login', name);
            exception when duplicate_object or unique_violation then null;  -- another database of the server was quicker
            end;
        end if;
    end loop;
exception when insufficient_privilege then
    raise exception '% may not create roles', current_user
        using hint = 'run `minecam db migrate` once as a user with CREATEROLE, or have minecam_admin, minecam_ingest '
                     'and minecam_read created';
end $$;

-- One at a time: two databases that grant at once would update the same row of the server's catalogue.
select pg_advisory_xact_lock(hashtext('minecam.roles'));

do $$
declare
    name text;
begin
    execute format('grant create on database %I to minecam_admin', current_database());
    if not pg_has_role(current_user, 'minecam_admin', 'member') then
        execute format('grant minecam_admin to %I', current_user);
    end if;
    foreach name in array array['minecam_ingest', 'minecam_read'] loop
        if not pg_has_role('minecam_admin', name, 'member') then
            execute format('grant %I to minecam_admin', name);
        end if;
        execute format('alter role %I in database %I set search_path = minecam, public', name, current_database());
    end loop;
end $$;

alter schema minecam owner to minecam_admin;
do $$
declare
    one record;
begin
    for one in select oid::regclass as name, relkind from pg_class
               where relnamespace = 'minecam'::regnamespace and relkind in ('r', 'v') loop
        execute format('alter %s %s owner to minecam_admin',
                       case one.relkind when 'v' then 'view' else 'table' end, one.name);
    end loop;
end $$;

grant usage on schema minecam to minecam_ingest, minecam_read;
grant select on all tables in schema minecam to minecam_ingest, minecam_read;
alter default privileges for role minecam_admin in schema minecam
    grant select on tables to minecam_ingest, minecam_read;

-- Nothing is deleted, and evidence does not change: rows are added, marked as superseded, and moved on in their state.
grant insert on mine, acquisition, validation, epoch, class_area, segment, comparison, class_change, change, alert,
                alert_event, trial_score to minecam_ingest;
grant update on mine, acquisition, alert, trial_score to minecam_ingest;
grant update (superseded_at, superseded_why) on epoch, comparison to minecam_ingest;
grant update (checked_at) on comparison to minecam_ingest;
grant update (delivered_at) on alert_event to minecam_ingest;
