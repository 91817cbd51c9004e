-- The mines that are watched.
select mine_id, slug, name, country, commodity, operator, mine_type, model, notes, registered_at, retired_at,
       st_asbinary(aoi) as aoi, st_asbinary(licence) as licence
from mine
where retired_at is null
order by slug;
