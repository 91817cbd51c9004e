insert into rule (name, description, measure, from_classes, to_classes, place, threshold, window_days, severity_steps,
                  confirm_n, confirm_m, expire_days, cooldown_days, mine_id, country, commodity)
values (%(name)s, %(description)s, %(measure)s, %(from_classes)s::smallint[], %(to_classes)s::smallint[], %(place)s,
        %(threshold)s, %(window_days)s, %(severity_steps)s::real[], %(confirm_n)s, %(confirm_m)s, %(expire_days)s,
        %(cooldown_days)s, %(mine_id)s, %(country)s, %(commodity)s)
on conflict (name) do nothing
returning *
