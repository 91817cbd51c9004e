-- An acquisition raster is in place.
update acquisition
set state = 'downloaded', reasons = '{}', raster = %(raster)s, checksum = %(checksum)s, downloaded_at = now(),
    processing_units = processing_units + %(processing_units)s
where acquisition_id = %(acquisition_id)s and state in ('discovered', 'failed');
