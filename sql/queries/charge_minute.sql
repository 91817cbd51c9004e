-- What was charged within the last minute, and after how many seconds the first of it is a minute old. What is of later
-- than now, since the clock was set back, is no reason to wait. By the clock: this transaction may have waited for others.
select coalesce(sum(requests), 0)::integer as requests, coalesce(sum(processing_units), 0)::float8 as processing_units,
       coalesce(60 - extract(epoch from clock_timestamp() - min(at)), 0)::float8 as seconds
from charge
where at > clock_timestamp() - interval '1 minute' and at <= clock_timestamp()
