select * from acquisition where acquisition_id = %(acquisition_id)s
