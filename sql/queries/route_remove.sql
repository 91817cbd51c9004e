update route set enabled = false where route_id = %(route_id)s and enabled returning *
