-- What a request cost, and that it was spent on its acquisition, at once: no kill can come between them.
with charged as (
    insert into charge (mine_id, acquisition_id, kind, processing_units, requests)
    values (%(mine_id)s, %(acquisition_id)s, %(kind)s, %(processing_units)s, %(requests)s)
    returning acquisition_id, processing_units
)
update acquisition a set processing_units = a.processing_units + c.processing_units
from charged c
where a.acquisition_id = c.acquisition_id
