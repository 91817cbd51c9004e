insert into class_change (comparison_id, class_id, hectares_before, hectares_now, unknown_hectares)
values (%(comparison_id)s, %(class_id)s, %(hectares_before)s, %(hectares_now)s, %(unknown_hectares)s)
