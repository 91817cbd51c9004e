-- Bring the medians of the months up to date in which an acquisition and what it replaces were sensed.
select fill_months(array[mine_id], date_trunc('month', sensing_time, 'UTC')::date)
from acquisition
where acquisition_id = %(acquisition_id)s
