select public.postgis_lib_version() as postgis, (select max(version) from schema_version) as schema_version,
       (select count(*) from mine where retired_at is null) as mines
