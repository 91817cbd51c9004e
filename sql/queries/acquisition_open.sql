-- What is in one of the states is to be judged again, but for what a person rejected; whoever decides meanwhile waits.
update acquisition
set state = 'downloaded'
where acquisition_id = %(acquisition_id)s
  and state = any (%(states)s)
  and superseded_at is null
  and raster is not null
  and not is_rejected(acquisition.acquisition_id)
returning *
