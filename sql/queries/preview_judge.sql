-- A preview that is judged again: what passes now is to be downloaded, what does not has its new reasons.
update acquisition
set state = case when %(passed)s then 'discovered' else state end, reasons = %(reasons)s, validated_at = now()
where acquisition_id = %(acquisition_id)s and state = 'quarantined'
returning *
