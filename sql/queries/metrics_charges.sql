-- What this calendar month (UTC) has cost and what it has left where there is a limit, and when the catalog was searched last.
with month as materialized (
    select coalesce(sum(processing_units), 0)::float8 as units, coalesce(sum(requests), 0)::float8 as requests
    from charge where at >= date_trunc('month', now(), 'UTC')
)
select 'minecam_units_spent' as metric, array[]::text[] as labels, units as value from month
union all
select 'minecam_units_left', array[]::text[], greatest(0, %(units)s::float8 - units) from month
where %(units)s::float8 is not null
union all
select 'minecam_requests_spent', array[]::text[], requests from month
union all
select 'minecam_requests_left', array[]::text[], greatest(0, %(requests)s::float8 - requests) from month
where %(requests)s::float8 is not null
union all
(select 'minecam_searched_timestamp_seconds', array[]::text[], extract(epoch from at)
 from charge where kind = 'search' order by at desc limit 1)
