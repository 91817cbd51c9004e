-- A comparison was made again and holds.
update comparison set checked_at = now() where comparison_id = %(comparison_id)s
