update acquisition set shift_rows = %(rows)s, shift_columns = %(columns)s where acquisition_id = %(acquisition_id)s
