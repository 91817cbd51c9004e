-- The current change polygons of a mine by a model.
select c.from_class, c.to_class, st_asbinary(c.geom) as geom
from change c
join comparison k using (comparison_id)
join epoch e using (epoch_id)
join mine m on m.mine_id = c.mine_id
where m.slug = %(mine)s and e.model = %(model)s and k.superseded_at is null and e.superseded_at is null
order by c.change_id
