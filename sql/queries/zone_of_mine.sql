-- The ground of all zones that count and reach into the mine's AOI, as far as it lies around it; null where there is
-- none.
select st_asbinary(st_union(near(z.geom, m.aoi))) as geom
from mine m
join zone z on st_intersects(z.geom, m.aoi) and z.retired_at is null
where m.mine_id = %(mine_id)s
