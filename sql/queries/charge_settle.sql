-- What a request has cost, in place of what it should; nothing, if it was refused.
with before as (
    select * from charge where charge_id = %(charge_id)s
), charged as (
    update charge c set processing_units = %(processing_units)s, requests = least(c.requests, %(requests)s), settled_at = now()
    from before
    where c.charge_id = before.charge_id
    returning c.acquisition_id, c.processing_units - before.processing_units as more
)
update acquisition a set processing_units = greatest(0, a.processing_units + c.more)
from charged c
where a.acquisition_id = c.acquisition_id and c.more <> 0
