-- What was charged in the calendar month (UTC) of today, how much of it has passed, and which priorities mines have.
select coalesce(sum(requests), 0)::integer as requests, coalesce(sum(processing_units), 0)::float8 as processing_units,
       extract(epoch from now() - date_trunc('month', now(), 'UTC'))::float8
       / extract(epoch from date_trunc('month', now(), 'UTC') + interval '1 month' - date_trunc('month', now(), 'UTC'))
           as share_passed,
       array(select distinct priority from mine where retired_at is null) as priorities
from charge
where at >= date_trunc('month', now(), 'UTC')
