-- The judgement of an acquisition. Those that were held against it by another shift are no longer held against it, so
-- that they are judged again.
with judged as (
    select * from acquisition where acquisition_id = %(acquisition_id)s and state = 'downloaded'
    for update
), dependents as (
    update acquisition d
    set held_against = array_remove(d.held_against, j.acquisition_id)
    from judged j
    where %(state)s = 'accepted' and d.mine_id = j.mine_id and d.held_against @> array[j.acquisition_id]
      and (j.shift_rows, j.shift_columns) is distinct from (%(shift_rows)s::real, %(shift_columns)s::real)
)
update acquisition a
set state = %(state)s, reasons = %(reasons)s, aoi_coverage = %(aoi_coverage)s, valid_share = %(valid_share)s,
    cloud_share = %(cloud_share)s, shift_rows = %(shift_rows)s, shift_columns = %(shift_columns)s,
    held_against = %(held_against)s, validated_at = now()
from judged j
where a.acquisition_id = j.acquisition_id
returning a.*
