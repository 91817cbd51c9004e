-- A transition of an alert: its state, and the event that says why.
with moved as (
    update alert set state = %(to_state)s, updated_at = now()
    where alert_id = %(alert_id)s
    returning alert_id
)
insert into alert_event (alert_id, from_state, to_state, epoch_id, actor, why)
select alert_id, %(from_state)s, %(to_state)s, %(epoch_id)s, %(actor)s, %(why)s from moved
returning alert_event_id
