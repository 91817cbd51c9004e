select epoch_id from epoch where epoch_id = %(epoch_id)s for update
