update zone set retired_at = now(), retired_why = %(why)s, retired_by = %(who)s
where slug = %(slug)s and retired_at is null
returning zone_id
