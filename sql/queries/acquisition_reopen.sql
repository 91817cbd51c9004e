-- A re-run judges again what was quarantined, looks again at what was never downloaded, and tries again what failed; what a person rejected stays so.
update acquisition a
set state = case when state = 'failed' then 'failed' when raster is null then 'discovered' else 'downloaded' end, tries = 0
where mine_id = %(mine_id)s
  and sensor_set = %(sensor_set)s
  and superseded_at is null
  and state in ('quarantined', 'failed')
  and (%(start)s::date is null or sensing_date >= %(start)s)
  and (%(end)s::date is null or sensing_date <= %(end)s)
  and not exists (select from acquisition_decision d where d.acquisition_id = a.acquisition_id and d.decision = 'rejected')
