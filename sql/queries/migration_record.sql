insert into minecam.schema_version (version, name) values (%(version)s, %(name)s)
