-- Epochs that hold, those of watched mines that were never compared, and what the database takes.
select 'minecam_epochs' as metric, array[]::text[] as labels, count(*)::float8 as value
from epoch where superseded_at is null
union all
select 'minecam_queue', array['epochs'], count(*)
from epoch e
join mine m using (mine_id)
where e.superseded_at is null and m.retired_at is null
  and not exists (select from comparison k where k.epoch_id = e.epoch_id and k.superseded_at is null)
union all
select 'minecam_database_bytes', array[]::text[], pg_database_size(current_database())
