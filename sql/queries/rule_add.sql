insert into rule (name, description, from_classes, to_classes, place, threshold_hectares, confirm_n, confirm_m, expire_days,
                  mine_id, country, commodity)
values (%(name)s, %(description)s, %(from_classes)s::smallint[], %(to_classes)s::smallint[], %(place)s,
        %(threshold_hectares)s, %(confirm_n)s, %(confirm_m)s, %(expire_days)s, %(mine_id)s, %(country)s, %(commodity)s)
on conflict (name) do nothing
returning *
