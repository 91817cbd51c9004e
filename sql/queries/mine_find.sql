-- One mine by its slug, retired ones too.
select mine_id, slug, name, country, commodity, operator, mine_type, model, notes, priority, registered_at, retired_at, aoi_since,
       st_asbinary(aoi) as aoi, st_asbinary(licence) as licence
from mine
where slug = %(slug)s;
