-- What a person resolved is over: an observation no longer showed it.
update alert set lasts = false where alert_id = any (%(alerts)s::bigint[])
