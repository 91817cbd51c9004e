-- Write one label, new or changed.
insert into label (class_id, name, meaning, colour)
values (%(class_id)s, %(name)s, %(meaning)s, %(colour)s)
on conflict (class_id) do update
set name = excluded.name, meaning = excluded.meaning, colour = excluded.colour;
