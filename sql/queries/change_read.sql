select from_class, to_class, st_asbinary(geom) as geom
from change
where comparison_id = %(comparison_id)s
order by change_id
