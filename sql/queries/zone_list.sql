-- The zones, those that count first, or one of them, with how far they reach.
select z.zone_id, z.slug, z.name, z.kind, z.registered_at, z.retired_at, z.retired_why, z.retired_by,
       st_area(st_segmentize(z.geom, 1)::geography) / 1e6 as km2,
       array(select m.slug from mine m where m.retired_at is null and st_intersects(m.aoi, z.geom) order by 1) as mines
from zone z
where case when %(slug)s::text is null then z.retired_at is null or %(retired)s else z.slug = %(slug)s end
order by z.retired_at is not null, z.kind, z.slug
