-- The current acquisitions of a mine with their state and why they were left out, in order of sensing.
select sensing_time, state, reasons
from acquisition
where mine_id = %(mine_id)s and superseded_at is null
order by sensing_time, acquisition_id
