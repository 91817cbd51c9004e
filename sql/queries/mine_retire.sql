-- Let a mine be watched no more, or again; nothing happens where it is so already.
with changed as (
    update mine set retired_at = case when %(retired)s then now() end
    where mine_id = %(mine_id)s and (retired_at is null) = %(retired)s
    returning mine_id
)
insert into mine_edit (mine_id, edit, who, why)
select mine_id, case when %(retired)s then 'retired' else 'resumed' end, %(who)s, %(why)s
from changed
returning mine_edit_id
