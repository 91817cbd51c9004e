-- Acquisitions of a mine that were refused after they had been segmented: their epochs and their comparisons no longer
-- hold.
with gone as (
    select e.epoch_id
    from acquisition a
    join epoch e on e.acquisition_id = a.acquisition_id and e.superseded_at is null
    where a.mine_id = %(mine_id)s and a.state = 'quarantined' and a.superseded_at is null
), compared as (
    update comparison k set superseded_at = now(), superseded_why = 'judged again, and refused'
    from gone
    where k.epoch_id = gone.epoch_id and k.superseded_at is null
)
update epoch e set superseded_at = now(), superseded_why = 'judged again, and refused'
from gone
where e.epoch_id = gone.epoch_id
returning e.epoch_id, e.acquisition_id
