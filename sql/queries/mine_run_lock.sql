-- One run at a time processes a mine; the lock ends with the connection. 77 keeps clear of other advisory locks.
select pg_try_advisory_lock(77, %(mine_id)s) as held
