-- What a person resolved of a rule and a mine, and no observation has shown to be over.
select a.alert_id, r.measure, r.from_classes, r.to_classes, st_asbinary(a.geom) as geom
from epoch e
join alert a using (mine_id)
join rule r using (rule_id)
where e.epoch_id = %(epoch_id)s and a.rule_id = %(rule_id)s and a.state = 'resolved' and a.lasts
  and e.sensing_time > a.last_time
