-- What a run has to do of a mine, in order of sensing: what is open, what failed and may be tried again, and what
-- has no epoch of the model's weights yet.
select a.*
from acquisition a
where a.mine_id = %(mine_id)s
  and a.sensor_set = %(sensor_set)s
  and a.superseded_at is null
  and (%(start)s::date is null or a.sensing_date >= %(start)s)
  and (%(end)s::date is null or a.sensing_date <= %(end)s)
  and (a.state in ('discovered', 'downloaded', 'accepted')
       or a.state = 'failed' and a.tries < %(max_tries)s
       or a.state = 'segmented' and not exists (
            select from epoch e
            where e.acquisition_id = a.acquisition_id and e.model = %(model)s
              and e.model_checksum = %(model_checksum)s and e.superseded_at is null))
order by a.sensing_time, a.acquisition_id
