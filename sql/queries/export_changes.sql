select change_id, mine, previous_time, sensing_time, from_class, to_class, hectares, confidence, st_asbinary(geom) as geom
from current_change
where mine = %(mine)s
order by sensing_time, change_id
