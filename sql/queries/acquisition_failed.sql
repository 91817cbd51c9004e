-- A step of an acquisition failed; what it cost is spent all the same.
update acquisition
set state = 'failed', reasons = array[%(reason)s]::text[], tries = tries + 1, failed_at = now(),
    processing_units = processing_units + %(processing_units)s
where acquisition_id = %(acquisition_id)s;
