-- One run of the fleet at a time; the lock ends with the connection.
select pg_try_advisory_lock(hashtext('minecam.fleet')) as held
