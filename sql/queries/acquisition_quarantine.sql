update acquisition set state = 'quarantined', reasons = %(reasons)s where acquisition_id = %(acquisition_id)s returning *
