-- Who looks whether the budget has what a request costs takes it before the next one looks.
select pg_advisory_xact_lock(hashtext('minecam.budget'))
