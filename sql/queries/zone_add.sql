-- Register a zone; nothing happens when its slug is taken.
insert into zone (slug, name, kind, geom)
values (%(slug)s, %(name)s, %(kind)s, st_geomfromwkb(%(geom)s, 4326))
on conflict (slug) do nothing
returning zone_id
