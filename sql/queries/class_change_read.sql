select class_id, hectares_before, hectares_now, unknown_hectares
from class_change
where comparison_id = %(comparison_id)s
order by class_id
