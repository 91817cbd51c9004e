select pg_advisory_unlock(77, %(mine_id)s)
