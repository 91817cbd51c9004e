-- What is in quarantine is to be judged again, whoever else decides on it meanwhile waits.
update acquisition a
set state = 'downloaded'
where a.acquisition_id = %(acquisition_id)s
  and a.state = 'quarantined'
  and a.superseded_at is null
  and a.raster is not null
  and not exists (select from acquisition_decision d
                  where d.acquisition_id = a.acquisition_id and d.decision = 'rejected')
returning a.*
