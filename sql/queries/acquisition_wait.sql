-- An acquisition stays to be downloaded, and says why it waits.
update acquisition set reasons = array[%(reason)s]::text[]
where acquisition_id = %(acquisition_id)s and state in ('discovered', 'failed')
