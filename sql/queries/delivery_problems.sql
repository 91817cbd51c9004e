-- Notification blocks that could not be told, and why not.
select d.block, count(*)::integer as events, (array_agg(d.problem order by d.alert_event_id desc))[1] as problem
from delivery d
join alert_event v using (alert_event_id)
where d.delivered_at is null and v.delivered_at is null
group by d.block
order by d.block
