update acquisition set state = 'segmented', reasons = '{}', segmented_at = now()
where acquisition_id = %(acquisition_id)s
