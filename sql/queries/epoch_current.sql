select * from epoch
where acquisition_id = %(acquisition_id)s and model = %(model)s and superseded_at is null
