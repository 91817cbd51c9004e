select r.*, m.slug as mine,
       (select array_agg(l.name order by l.class_id) from label l where l.class_id = any (r.from_classes)) as from_names,
       (select array_agg(l.name order by l.class_id) from label l where l.class_id = any (r.to_classes)) as to_names
from rule r
left join mine m using (mine_id)
where %(name)s::text is null or r.name = %(name)s
order by r.rule_id
