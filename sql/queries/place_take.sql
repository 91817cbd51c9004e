-- One of so many places to ask the service from; it is free again when it is given back, or the connection ends. 78
-- keeps clear of other advisory locks.
select place from generate_series(1, %(places)s) place where pg_try_advisory_lock(78, place) limit 1
