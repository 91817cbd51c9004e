copy segment (epoch_id, mine_id, class_id, hectares, confidence, geom) from stdin (format binary)
