-- What each class gained and lost, and what of it was hidden.

set local role minecam_admin;

alter table class_change add unknown_hectares double precision;
comment on column class_change.unknown_hectares is 'Hectares that were of the class when they were seen last, and that the epoch did not see, as far as the comparison looked back (six looks at least); null: made before this was kept';

create view class_balance as
select k.epoch_id * 16 + d.class_id as class_balance_id, m.slug as mine, e.sensing_time, l.name as class,
       round(coalesce(g.hectares, 0)::numeric, 2)::float8 as gained, round(coalesce(o.hectares, 0)::numeric, 2)::float8 as lost,
       round(d.unknown_hectares::numeric, 2)::float8 as unknown, e.model, k.epoch_id, k.comparison_id
from comparison k
join epoch e using (epoch_id)
join mine m on m.mine_id = k.mine_id
join class_change d using (comparison_id)
join label l using (class_id)
left join lateral (
    select sum(c.hectares) as hectares from change c
    where c.comparison_id = k.comparison_id and c.sensing_time = e.sensing_time and c.to_class = d.class_id
) g on true
left join lateral (
    select sum(c.hectares) as hectares from change c
    where c.comparison_id = k.comparison_id and c.sensing_time = e.sensing_time and c.from_class = d.class_id
) o on true
where k.superseded_at is null and e.superseded_at is null and k.valid_hectares > 0;
comment on view class_balance is 'Hectares that each class gained and lost since the previous observation, by the change polygons, and those of it that the epoch did not see';
comment on column class_balance.class_balance_id is 'Key';
comment on column class_balance.mine is 'Slug of the mine';
comment on column class_balance.sensing_time is 'When the satellite looked (UTC)';
comment on column class_balance.class is 'Mine component, or background';
comment on column class_balance.gained is 'Hectares that became of this class';
comment on column class_balance.lost is 'Hectares that were of this class and are of another one';
comment on column class_balance.unknown is 'Hectares that were of the class when they were seen last, and that the epoch did not see; null: made before this was kept';
comment on column class_balance.model is 'Model that saw it';
comment on column class_balance.epoch_id is 'The epoch';
comment on column class_balance.comparison_id is 'The comparison';
