-- What a run has to do of a mine, in order of sensing: what is open, what failed and may be tried again, and what
-- has no epoch of the model yet; with `rerun`, also what only has one by other weights of it. An acquisition with newer
-- products stands as long as these were refused.
select a.*
from acquisition a
where a.mine_id = %(mine_id)s
  and a.sensor_set = %(sensor_set)s
  and (%(start)s::date is null or a.sensing_date >= %(start)s)
  and (%(end)s::date is null or a.sensing_date <= %(end)s)
  and (a.superseded_at is null and a.state in ('discovered', 'downloaded', 'accepted')
       or a.superseded_at is null and a.state = 'failed' and a.tries < %(max_tries)s
       or a.state = 'segmented'
          and not exists (
            select from epoch e
            where e.acquisition_id = a.acquisition_id and e.model = %(model)s
              and (e.model_checksum = %(model_checksum)s or not %(rerun)s) and e.superseded_at is null)
          and (a.superseded_at is null or not exists (
            select from acquisition n
            where n.mine_id = a.mine_id and n.sensor_set = a.sensor_set and n.collection = a.collection
              and n.orbit_direction = a.orbit_direction and n.sensing_date = a.sensing_date
              and n.acquisition_id > a.acquisition_id
              and (n.state = 'segmented' or n.superseded_at is null and n.state not in ('quarantined', 'failed')))))
order by a.sensing_time, a.acquisition_id
