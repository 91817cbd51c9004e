-- Events of alerts with what a notification says of them: those in `events`; without it, all that people are still to be
-- told of, of one mine, or of every one and the fleet. `before` is the latest earlier acquisition that gave the ground
-- its class before the alert, `confidence` that of the change, in the middle over its ground.
select v.alert_event_id, v.alert_id, v.from_state, v.to_state, v.epoch_id, v.actor, v.why, v.at, v.quiet,
       a.state, a.severity, a.hectares, a.measured, a.first_time, a.last_time, a.observations, st_asbinary(a.geom) as geom,
       m.slug, m.name as mine, r.rule_id, r.name as rule, r.description, r.measure, r.severity_steps,
       e.sensing_time, e.model, e.model_checksum, q.product_ids, q.raster, q.checksum, q.cloud_share,
       b.sensing_time as before_time, b.product_ids as before_product_ids, b.raster as before_raster,
       b.checksum as before_checksum, b.cloud_share as before_cloud_share, c.confidence,
       array(select block from delivery d where d.alert_event_id = v.alert_event_id and d.delivered_at is not null) as told,
       array(select block from delivery d where d.alert_event_id = v.alert_event_id and d.delivered_at is null) as refused,
       (select coalesce(max(tries), 0) from delivery d where d.alert_event_id = v.alert_event_id)::integer as tries
from alert_event v
join alert a using (alert_id)
join rule r using (rule_id)
left join mine m on m.mine_id = a.mine_id
left join epoch e on e.epoch_id = coalesce(v.epoch_id, a.last_epoch_id)
left join acquisition q on q.acquisition_id = e.acquisition_id
left join lateral (
    select p.sensing_time, p.epoch_id, o.product_ids, o.raster, o.checksum, o.cloud_share
    from comparison k
    join change c using (comparison_id)
    join epoch p on p.epoch_id = any (k.previous_epochs) and p.sensing_time = c.previous_time
    join acquisition o on o.acquisition_id = p.acquisition_id
    where k.epoch_id = a.first_epoch_id and st_intersects(c.geom, a.geom)
    order by k.superseded_at nulls first, p.sensing_time desc
    limit 1
) b on true
left join lateral (
    select sum(c.confidence * c.hectares) / sum(c.hectares) as confidence
    from comparison k
    join change c using (comparison_id)
    where k.epoch_id = a.first_epoch_id and k.superseded_at is null and r.measure = 'transition'
      and c.from_class = any (r.from_classes) and c.to_class = any (r.to_classes) and st_intersects(c.geom, a.geom)
) c on true
where case when %(events)s::bigint[] is not null then v.alert_event_id = any (%(events)s::bigint[])
           else v.delivered_at is null and not v.quiet
                and (%(mine_id)s::integer is null or a.mine_id = %(mine_id)s::integer) end
order by v.alert_event_id
