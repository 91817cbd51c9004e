insert into class_area (epoch_id, class_id, hectares, confidence)
values (%(epoch_id)s, %(class_id)s, %(hectares)s, %(confidence)s)
