-- Hectares per class in the first, the previous and the latest epoch of a mine by one model.
with place as (
    select epoch_id, row_number() over (order by sensing_time, epoch_id) as forward,
           row_number() over (order by sensing_time desc, epoch_id desc) as backward
    from epoch
    where mine_id = %(mine_id)s and model = %(model)s and superseded_at is null
)
select l.name as class,
       sum(a.hectares) filter (where forward = 1) as first,
       sum(a.hectares) filter (where backward = 2) as before,
       sum(a.hectares) filter (where backward = 1) as now
from place
join class_area a using (epoch_id)
join label l using (class_id)
where class_id > 0
group by l.class_id, l.name
order by l.class_id
