-- Register a mine; nothing happens when its slug is taken.
insert into mine (slug, name, country, commodity, operator, mine_type, model, notes, priority, aoi, licence)
values (%(slug)s, %(name)s, %(country)s, %(commodity)s, %(operator)s, %(mine_type)s, %(model)s, %(notes)s, coalesce(%(priority)s, 'normal'),
        st_geomfromwkb(%(aoi)s, 4326), st_geomfromwkb(%(licence)s::bytea, 4326))
on conflict (slug) do nothing
returning mine_id;
