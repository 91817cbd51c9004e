-- What a request should cost, before it is made, and that it was spent on its acquisition.
with charged as (
    insert into charge (mine_id, acquisition_id, kind, processing_units, requests, settled_at)
    values (%(mine_id)s, %(acquisition_id)s, %(kind)s, %(processing_units)s, %(requests)s, null)
    returning charge_id, acquisition_id, processing_units
), spent as (
    update acquisition a set processing_units = a.processing_units + c.processing_units
    from charged c
    where a.acquisition_id = c.acquisition_id
)
select charge_id from charged
