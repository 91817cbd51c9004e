insert into alert (mine_id, rule_id, state, severity, measured, first_time, last_time, geom)
select %(mine_id)s::integer, %(rule_id)s, 'confirmed', %(severity)s, %(measured)s, %(at)s, %(at)s,
       (select aoi from mine where mine_id = %(mine_id)s::integer)
returning alert_id
