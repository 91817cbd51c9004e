select * from epoch where epoch_id = %(epoch_id)s
