-- What a person decides; what is released goes on as if it had been accepted.
with decided as (
    insert into acquisition_decision (acquisition_id, decision, actor, why)
    values (%(acquisition_id)s, %(decision)s, %(who)s, %(why)s)
    returning acquisition_id, decision
)
update acquisition a
set state = case d.decision when 'released' then 'accepted' else a.state end
from decided d
where a.acquisition_id = d.acquisition_id
