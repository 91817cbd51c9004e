-- How many current epochs of a mine were made by other weights of the model.
select count(*) as count
from epoch
where mine_id = %(mine_id)s and model = %(model)s and model_checksum <> %(model_checksum)s and superseded_at is null
