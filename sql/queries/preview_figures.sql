-- What the latest preview of an acquisition in quarantine that was never downloaded measured.
select v.figures
from acquisition a
join validation v using (acquisition_id)
where a.acquisition_id = %(acquisition_id)s
  and a.state = 'quarantined'
  and a.superseded_at is null
  and a.raster is null
  and v.suite = 'preview'
  and not is_rejected(a.acquisition_id)
order by v.validation_id desc
limit 1
for update of a
