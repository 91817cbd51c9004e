-- An acquisition was refused after it had been segmented: its epochs and their comparisons no longer hold.
with gone as (
    update comparison k set superseded_at = now(), superseded_why = 'judged again, and refused'
    from epoch e
    where e.acquisition_id = %(acquisition_id)s and k.epoch_id = e.epoch_id and k.superseded_at is null
)
update epoch set superseded_at = now(), superseded_why = 'judged again, and refused'
where acquisition_id = %(acquisition_id)s and superseded_at is null
returning epoch_id
