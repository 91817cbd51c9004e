insert into alert (mine_id, rule_id, severity, hectares, measured, first_time, last_time, first_epoch_id, last_epoch_id, geom)
select mine_id, %(rule_id)s, %(severity)s, %(hectares)s, %(measured)s, sensing_time, sensing_time, epoch_id, epoch_id,
       st_geomfromwkb(%(geom)s, 4326)
from epoch
where epoch_id = %(epoch_id)s
returning alert_id
