copy segment (epoch_id, mine_id, class_id, sensing_time, hectares, confidence, geom) from stdin (format binary)
