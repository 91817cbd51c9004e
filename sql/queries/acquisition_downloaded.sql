-- An acquisition raster is in place.
update acquisition
set state = 'downloaded', reasons = '{}', raster = %(raster)s, checksum = %(checksum)s, downloaded_at = now()
where acquisition_id = %(acquisition_id)s and state in ('discovered', 'failed')
returning *
