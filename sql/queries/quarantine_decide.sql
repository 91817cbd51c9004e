-- What a person decides; what is released goes on as if it had been accepted, or is downloaded first.
with decided as (
    insert into acquisition_decision (acquisition_id, decision, actor, why)
    values (%(acquisition_id)s, %(decision)s, %(who)s, %(why)s)
    returning acquisition_id, decision
)
update acquisition a
set state = case when d.decision <> 'released' then a.state when a.raster is null then 'discovered' else 'accepted' end
from decided d
where a.acquisition_id = d.acquisition_id
