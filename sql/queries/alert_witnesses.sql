-- The epochs that were compared of an alert's mine since its first look, in order of sensing.
select e.*
from alert a
join epoch e on e.mine_id = a.mine_id and e.superseded_at is null and e.sensing_time > a.first_time
join comparison k on k.epoch_id = e.epoch_id and k.superseded_at is null
where a.alert_id = %(alert_id)s
order by e.sensing_time, e.epoch_id
