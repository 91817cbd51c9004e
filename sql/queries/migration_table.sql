create schema if not exists minecam;
create table if not exists minecam.schema_version (
    version    integer primary key,
    name       text not null,
    applied_at timestamptz not null default now()
);
comment on table minecam.schema_version is 'Migrations that were applied';
