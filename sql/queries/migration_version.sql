select coalesce(max(version), 0) as version from minecam.schema_version
