select segment_id, mine, sensing_time, class, hectares, confidence, model, epoch_id, st_asbinary(geom) as geom
from current_segment
where mine = %(mine)s
order by sensing_time, segment_id
