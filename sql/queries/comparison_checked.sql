-- A comparison was made again and holds; see comparison_add.
update comparison k
set checked_at = (select greatest(now(), max(p.created_at)) from epoch p
                  where p.mine_id = k.mine_id and p.superseded_at is null)
where comparison_id = %(comparison_id)s
