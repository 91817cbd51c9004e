-- Alerts by state and severity, events that people are still to be told of, and messages that a channel refused.
select 'minecam_alerts' as metric, array[s.state, grade::text] as labels, count(a.alert_id)::float8 as value
from unnest(array['provisional', 'confirmed', 'acknowledged', 'resolved', 'expired']) as s (state)
cross join generate_series(1, 3) as grade
left join alert a on a.state = s.state and least(a.severity, 3) = grade
group by s.state, grade
union all
select 'minecam_queue', array['events'], count(*) from alert_event where delivered_at is null and not quiet
union all
select 'minecam_queue', array['refused'], count(*)
from delivery d join alert_event v using (alert_event_id)
where d.delivered_at is null and v.delivered_at is null
