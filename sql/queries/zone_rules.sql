-- Which rules look inside a zone, and which of their alerts there stand.
select r.name as rule, r.enabled,
       array(select a.alert_id from alert a
             where a.rule_id = r.rule_id and a.state in ('provisional', 'confirmed', 'acknowledged')
               and st_intersects(a.geom, z.geom) order by 1) as alerts
from zone z
cross join rule r
where z.slug = %(slug)s and r.place = 'inside_zone'
  and exists (select from rule_mine o join mine m using (mine_id)
              where o.rule_id = r.rule_id and st_intersects(m.aoi, z.geom))
order by r.name
