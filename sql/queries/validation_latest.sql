-- The latest that each suite said of each acquisition, of one mine (slug) or of all.
select distinct on (m.slug, kind, a.sensing_time, a.acquisition_id)
       m.slug as mine, kind, a.acquisition_id, a.sensing_time, a.sensor_set, a.state, v.passed, v.reasons, v.figures
from validation v
join acquisition a using (acquisition_id)
join mine m using (mine_id)
cross join lateral (select case when v.suite in ('preview', 'segments') then v.suite else a.sensor_set end) as of_suite (kind)
where %(mine)s::text is null or m.slug = %(mine)s
order by m.slug, kind, a.sensing_time, a.acquisition_id, v.validation_id desc
