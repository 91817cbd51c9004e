select acquisition_id from acquisition where acquisition_id = %(acquisition_id)s for update
