insert into route (block, rule_id, least_severity, states, digest)
values (%(block)s, %(rule_id)s, %(least_severity)s, %(states)s::text[], %(digest)s)
returning route_id
