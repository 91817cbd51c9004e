-- What failed before is over: later tries are counted anew.
update acquisition set state = 'segmented', reasons = '{}', tries = 0, segmented_at = now()
where acquisition_id = %(acquisition_id)s
returning *
