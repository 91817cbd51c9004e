-- Hectares per class in three epochs of a mine: the first, one before, and the latest.
select l.name as class,
       sum(a.hectares) filter (where a.epoch_id = %(first)s) as first,
       sum(a.hectares) filter (where a.epoch_id = %(before)s) as before,
       sum(a.hectares) filter (where a.epoch_id = %(now)s) as now
from class_area a
join label l using (class_id)
where class_id > 0 and a.epoch_id in (%(first)s, %(before)s, %(now)s)
group by l.class_id, l.name
order by l.class_id
