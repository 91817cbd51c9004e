-- A transition of an alert, if it still is in the state it is to leave, and the event that says why. What nobody was told
-- of ends quietly too. What a person resolves of ground that lasts is not raised again while it does.
with moved as (
    update alert a
    set state = %(to_state)s, updated_at = now(),
        lasts = %(to_state)s = 'resolved' and (select measure <> 'transition' from rule r where r.rule_id = a.rule_id)
    where a.alert_id = %(alert_id)s and (%(from_state)s::text is null or a.state = %(from_state)s)
    returning a.alert_id
)
insert into alert_event (alert_id, from_state, to_state, epoch_id, actor, why, quiet)
select alert_id, %(from_state)s, %(to_state)s, %(epoch_id)s, %(actor)s, %(why)s,
       %(quiet)s or %(to_state)s = 'expired'
           and not exists (select from alert_event v where v.alert_id = moved.alert_id and not v.quiet)
from moved
returning alert_event_id
