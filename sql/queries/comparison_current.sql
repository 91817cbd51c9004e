select * from comparison where epoch_id = %(epoch_id)s and superseded_at is null
