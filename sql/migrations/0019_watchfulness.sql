-- What a month that runs short is spent on first, what was looked at before it was paid, and what is given up.

set local role minecam_admin;

alter table mine add priority text not null default 'normal' check (priority in ('high', 'normal', 'low'));
comment on column mine.priority is 'Who comes first, and whom the last of a month''s budget is kept for: high, normal or low';

alter table acquisition add failed_at timestamptz;
comment on column acquisition.failed_at is 'When a step failed last';

alter table charge drop constraint charge_kind_check,
    add constraint charge_kind_check check (kind in ('search', 'look', 'process'));
comment on column charge.kind is 'search: of the catalog, by the formula of the documentation; look: of the scene classes at low resolution, process: of pixels, as the answer said';

create or replace view budget as
select min(c.charge_id) as budget_id, m.slug as mine, date_trunc('month', c.at, 'UTC')::date as month,
       count(*) filter (where c.kind = 'search') as searches, count(*) filter (where c.kind = 'process') as downloads,
       round(sum(c.processing_units)::numeric, 3)::float8 as processing_units,
       count(*) filter (where c.kind = 'look') as looks
from charge c
join mine m using (mine_id)
group by m.slug, 3;
comment on column budget.looks is 'Looks at low resolution before a download';

alter table rule drop constraint rule_measure_check,
    add constraint rule_measure_check check (
        measure in ('transition', 'hectares', 'patch', 'growth', 'growth_percent', 'unseen', 'silent', 'given_up')),
    drop constraint rule_classes,
    add constraint rule_classes check (cardinality(to_classes) > 0 or measure in ('unseen', 'silent', 'given_up'));
comment on column rule.measure is 'transition: hectares of ground that became another class since an alert began; hectares: of the classes to, all together; patch: of ground of these that lies together; growth and growth_percent: of these within window_days; unseen: days in which a mine was not truly seen; silent: days in which nothing came of any mine, beyond the longest such gap of the last 60 days, twice the usual one at most; given_up: acquisitions of a mine that failed as often as they are tried';

create or replace function unit(measure text) returns text
language sql immutable parallel safe
return case when measure = 'growth_percent' then '%' when measure in ('unseen', 'silent') then 'days'
            when measure = 'given_up' then 'acquisitions' else 'ha' end;

insert into rule (name, description, measure, threshold, confirm_n, confirm_m, cooldown_days) values
    ('given-up', 'Acquisitions failed as often as they are tried', 'given_up', 1, 1, 1, 0);
