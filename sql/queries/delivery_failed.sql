insert into delivery (alert_event_id, block, tries, problem)
select event, %(block)s, 1, %(problem)s from unnest(%(events)s::bigint[]) as event
on conflict (alert_event_id, block) do update set tries = delivery.tries + 1, problem = excluded.problem
