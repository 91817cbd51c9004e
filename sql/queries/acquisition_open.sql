-- What is in one of the states is to be judged again, but for what a person rejected; whoever decides on it meanwhile waits.
update acquisition
set state = 'downloaded'
where acquisition_id = %(acquisition_id)s
  and state = any (%(states)s)
  and superseded_at is null
  and raster is not null
  and not exists (select from acquisition_decision d
                  where d.acquisition_id = acquisition.acquisition_id and d.decision = 'rejected')
returning *
