with gone as (
    update comparison set superseded_at = now(), superseded_why = %(why)s
    where epoch_id = %(epoch_id)s and superseded_at is null
)
update epoch set superseded_at = now(), superseded_why = %(why)s
where epoch_id = %(epoch_id)s and superseded_at is null
