-- Hectares per class on the ground that a comparison saw on both sides, so that a difference never shows hidden
-- ground as loss.

create table if not exists class_change (
    comparison_id   bigint not null references comparison,
    class_id        smallint not null references label,
    hectares_before double precision not null,
    hectares_now    double precision not null,
    primary key (comparison_id, class_id)
);
comment on table class_change is 'Hectares of every class before and now on the pixels that a comparison saw on both sides';
comment on column class_change.hectares_before is 'On these pixels, in the previous observation';
comment on column class_change.hectares_now is 'On these pixels, in the epoch';

-- Comparisons without these figures are made again by the next run.
update comparison k
set superseded_at = now(), superseded_why = 'made before hectares per class were kept'
where superseded_at is null and not exists (select from class_change d where d.comparison_id = k.comparison_id);

drop view if exists mine_history;
create view mine_history as
select row_number() over (order by e.epoch_id, a.class_id)::integer as history_id,
       m.slug as mine, e.sensing_time, l.name as class, a.hectares,
       e.valid_hectares / nullif(e.aoi_hectares, 0) as valid_share,
       case when k.valid_hectares > 0 then d.hectares_now - d.hectares_before end as difference,
       k.valid_hectares / nullif(e.aoi_hectares, 0) as compared_share,
       e.model, e.epoch_id
from class_area a
join epoch e using (epoch_id)
join mine m using (mine_id)
join label l using (class_id)
left join comparison k on k.epoch_id = e.epoch_id and k.superseded_at is null
left join class_change d on d.comparison_id = k.comparison_id and d.class_id = a.class_id
where e.superseded_at is null;
comment on view mine_history is 'Hectares per class and epoch on the ground that was seen, and the difference to the previous observation';
comment on column mine_history.valid_share is 'Share (0-1) of the AOI that was seen: the hectares are of that ground';
comment on column mine_history.difference is 'Hectares gained or lost on the ground seen before and now; null where there is none';
comment on column mine_history.compared_share is 'Share (0-1) of the AOI seen before and now: the difference is of that ground';
