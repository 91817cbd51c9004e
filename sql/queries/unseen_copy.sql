copy unseen (epoch_id, geom) from stdin (format binary)
