update acquisition set processing_units = processing_units + %(processing_units)s
where acquisition_id = %(acquisition_id)s
