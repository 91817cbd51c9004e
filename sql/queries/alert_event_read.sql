-- Events of a mine's alerts with what a notification says of them: those in `events`, or, without it, all that were
-- not delivered yet. `before` is the latest earlier acquisition that gave the ground its class before the alert.
select v.alert_event_id, v.alert_id, v.from_state, v.to_state, v.epoch_id, v.actor, v.why, v.at,
       a.severity, a.hectares, a.first_time, a.last_time, a.observations, st_asbinary(a.geom) as geom,
       m.slug, m.name as mine, r.name as rule, r.description,
       e.sensing_time, e.model, e.model_checksum, q.product_ids, q.raster, q.checksum,
       b.sensing_time as before_time, b.product_ids as before_product_ids, b.raster as before_raster,
       b.checksum as before_checksum
from alert_event v
join alert a using (alert_id)
join mine m using (mine_id)
join rule r using (rule_id)
left join epoch e on e.epoch_id = v.epoch_id
left join acquisition q using (acquisition_id)
left join lateral (
    select p.sensing_time, p.epoch_id, o.product_ids, o.raster, o.checksum
    from comparison k
    join change c using (comparison_id)
    join epoch p on p.epoch_id = any (k.previous_epochs) and p.sensing_time = c.previous_time
    join acquisition o on o.acquisition_id = p.acquisition_id
    where k.epoch_id = a.first_epoch_id and st_intersects(c.geom, a.geom)
    order by k.superseded_at nulls first, p.sensing_time desc
    limit 1
) b on true
where a.mine_id = %(mine_id)s
  and (v.alert_event_id = any (%(events)s::bigint[]) or %(events)s::bigint[] is null and v.delivered_at is null)
order by v.alert_event_id
