-- The latest epoch with a change on the ground of an alert, or near it (metres), that its rule is about.
select e.epoch_id, e.sensing_time
from alert a
join rule r using (rule_id)
join epoch e on e.mine_id = a.mine_id and e.superseded_at is null and e.sensing_time >= a.first_time
join comparison k on k.epoch_id = e.epoch_id and k.superseded_at is null
join change c on c.comparison_id = k.comparison_id and c.sensing_time = e.sensing_time
where a.alert_id = %(alert_id)s
  and c.from_class = any (r.from_classes)
  and c.to_class = any (r.to_classes)
  and st_dwithin(c.geom::geography, a.geom::geography, %(near)s)
order by e.sensing_time desc, e.epoch_id desc
limit 1
