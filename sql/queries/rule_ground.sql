-- The ground of a rule's classes in an epoch.
select st_asbinary(s.geom) as geom
from epoch e
join rule r on r.rule_id = %(rule_id)s
join segment s on s.epoch_id = e.epoch_id and s.sensing_time = e.sensing_time and s.class_id = any (r.to_classes)
where e.epoch_id = %(epoch_id)s
