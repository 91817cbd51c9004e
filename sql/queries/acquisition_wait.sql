-- An acquisition is still to be downloaded, and says why it waits.
update acquisition set state = 'discovered', reasons = array[%(reason)s]::text[]
where acquisition_id = %(acquisition_id)s and state in ('discovered', 'failed')
returning *
