-- What there is of a mine: its current epochs and how many of them are of another AOI than today's, its alerts that
-- stand, and those of them outside the licence.
select count(*)::integer as epochs, min(e.sensing_time)::date as first_day,
       count(*) filter (where e.created_at < m.aoi_since)::integer as before,
       array(select a.alert_id from alert a
             where a.mine_id = %(mine_id)s and a.state in ('provisional', 'confirmed', 'acknowledged')
             order by 1) as alerts,
       array(select a.alert_id from alert a join rule r using (rule_id)
             where a.mine_id = %(mine_id)s and a.state in ('provisional', 'confirmed', 'acknowledged')
               and r.place = 'outside_licence' order by 1) as outside_licence
from mine m
left join epoch e on e.mine_id = m.mine_id and e.superseded_at is null
where m.mine_id = %(mine_id)s
group by m.mine_id
