insert into comparison (epoch_id, mine_id, previous_epochs, valid_hectares, unknown_hectares, changed_hectares,
                        flow_run_id)
select epoch_id, mine_id, %(previous_epochs)s::bigint[], %(valid_hectares)s, %(unknown_hectares)s,
       %(changed_hectares)s, %(flow_run_id)s
from epoch
where epoch_id = %(epoch_id)s
returning *
