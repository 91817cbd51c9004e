copy change (comparison_id, mine_id, from_class, to_class, hectares, confidence, previous_time, sensing_time, geom)
from stdin (format binary)
