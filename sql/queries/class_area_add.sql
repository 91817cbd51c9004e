insert into class_area (epoch_id, class_id, sensing_time, hectares, confidence)
select epoch_id, %(class_id)s, sensing_time, %(hectares)s, %(confidence)s
from epoch
where epoch_id = %(epoch_id)s
