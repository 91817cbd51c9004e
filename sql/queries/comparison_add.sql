-- A comparison, checked no earlier than the latest epoch of the mine was made, though the clock may have gone back since.
insert into comparison (epoch_id, mine_id, previous_epochs, valid_hectares, unknown_hectares, changed_hectares,
                        flow_run_id, checked_at)
select epoch_id, mine_id, %(previous_epochs)s::bigint[], %(valid_hectares)s, %(unknown_hectares)s,
       %(changed_hectares)s, %(flow_run_id)s,
       (select greatest(now(), max(p.created_at)) from epoch p where p.mine_id = e.mine_id and p.superseded_at is null)
from epoch e
where epoch_id = %(epoch_id)s
returning *
