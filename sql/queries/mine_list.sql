-- The mines that are watched, those first that come first.
select mine_id, slug, name, country, commodity, operator, mine_type, model, notes, priority, registered_at, retired_at, aoi_since,
       st_asbinary(aoi) as aoi, st_asbinary(licence) as licence
from mine
where retired_at is null
order by array_position(array['high', 'normal', 'low'], priority), slug;
