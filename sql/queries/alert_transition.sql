-- A transition of an alert: its state, and the event that says why. What nobody was told of ends quietly too.
with moved as (
    update alert set state = %(to_state)s, updated_at = now()
    where alert_id = %(alert_id)s
    returning alert_id
)
insert into alert_event (alert_id, from_state, to_state, epoch_id, actor, why, quiet)
select alert_id, %(from_state)s, %(to_state)s, %(epoch_id)s, %(actor)s, %(why)s,
       %(quiet)s or %(to_state)s = 'expired'
           and not exists (select from alert_event v where v.alert_id = moved.alert_id and not v.quiet)
from moved
returning alert_event_id
