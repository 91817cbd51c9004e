-- A step of an acquisition failed.
update acquisition
set state = 'failed', reasons = array[%(reason)s]::text[], tries = tries + 1, failed_at = now()
where acquisition_id = %(acquisition_id)s
returning *
