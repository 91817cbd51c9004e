select from_class, to_class, hectares, st_asbinary(geom) as geom
from change
where comparison_id = %(comparison_id)s
order by change_id
