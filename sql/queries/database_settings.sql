-- Settings of the database itself, which a dump does not hold: questions about a mine take milliseconds, compiling them
-- first took a tenth of a second each; and people and flows need not name the schema.
do $$
declare
    name text;
begin
    execute format('alter database %I set jit = off', current_database());
    foreach name in array array['minecam_ingest', 'minecam_read'] loop
        execute format('alter role %I in database %I set search_path = minecam, public', name, current_database());
    end loop;
exception when insufficient_privilege then null;  -- on a server of one's own, of which somebody else takes care
end $$
