-- What only the owner of the database may do.

-- Where QGIS looks for the style of a layer that it opens; it may have made the table itself. `style_publish.sql` fills
-- it.

create table if not exists public.layer_styles (
    id                serial primary key,
    f_table_catalog   varchar,
    f_table_schema    varchar,
    f_table_name      varchar,
    f_geometry_column varchar,
    stylename         text,
    styleqml          xml,
    stylesld          xml,
    useasdefault      boolean,
    description       text,
    owner             varchar(63) default current_user,
    ui                xml,
    update_time       timestamp default current_timestamp,
    type              varchar
);
grant select on public.layer_styles to minecam_read, minecam_ingest, minecam_admin;

-- Questions about a mine take milliseconds; compiling them first took a tenth of a second each.
do $$
begin
    execute format('alter database %I set jit = off', current_database());
end $$;
