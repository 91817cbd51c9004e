select pg_advisory_unlock(78, %(place)s)
