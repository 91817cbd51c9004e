insert into delivery (alert_event_id, block, delivered_at)
select event, %(block)s, now() from unnest(%(events)s::bigint[]) as event
on conflict (alert_event_id, block) do update set delivered_at = now()
