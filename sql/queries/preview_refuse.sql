update acquisition
set state = 'quarantined', reasons = %(reasons)s, aoi_coverage = %(aoi_coverage)s, valid_share = %(valid_share)s,
    cloud_share = %(cloud_share)s, validated_at = now()
where acquisition_id = %(acquisition_id)s and state in ('discovered', 'failed')
returning *
