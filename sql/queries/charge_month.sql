-- What was charged in the calendar month (UTC) of today, and how much of it has passed.
select count(*)::integer as requests, coalesce(sum(processing_units), 0)::float8 as processing_units,
       extract(epoch from now() - date_trunc('month', now(), 'UTC'))::float8
       / extract(epoch from date_trunc('month', now(), 'UTC') + interval '1 month' - date_trunc('month', now(), 'UTC'))
           as share_passed
from charge
where at >= date_trunc('month', now(), 'UTC')
