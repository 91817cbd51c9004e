-- What the service was paid, request by request, so that a month's budget can be kept.

set local role minecam_admin;

create table charge (
    charge_id        bigint generated always as identity primary key,
    mine_id          integer not null references mine,
    acquisition_id   bigint references acquisition,
    kind             text not null check (kind in ('search', 'process')),
    processing_units double precision not null check (processing_units >= 0),
    at               timestamptz not null default now()
);
create index charge_at on charge (at);
comment on table charge is 'Requests that the Sentinel Hub service charged, failed ones too';
comment on column charge.charge_id is 'Key';
comment on column charge.mine_id is 'The mine';
comment on column charge.acquisition_id is 'The acquisition; null: a search';
comment on column charge.kind is 'search: of the catalog, by the formula of the documentation; process: of pixels, as the answer said';
comment on column charge.processing_units is 'Processing units charged';
comment on column charge.at is 'When';
grant insert on charge to minecam_ingest;

insert into charge (mine_id, acquisition_id, kind, processing_units, at)
select mine_id, acquisition_id, 'process', processing_units, coalesce(downloaded_at, discovered_at)
from acquisition where processing_units > 0;

create view budget as
select min(c.charge_id) as budget_id, m.slug as mine, date_trunc('month', c.at, 'UTC')::date as month,
       count(*) filter (where c.kind = 'search') as searches, count(*) filter (where c.kind = 'process') as downloads,
       round(sum(c.processing_units)::numeric, 3)::float8 as processing_units
from charge c
join mine m using (mine_id)
group by m.slug, 3;
comment on view budget is 'What was charged, by mine and calendar month (UTC) of the request; the view cost is by month of sensing';
comment on column budget.budget_id is 'Key';
comment on column budget.mine is 'Slug of the mine';
comment on column budget.month is 'First day of the month';
comment on column budget.searches is 'Searches of the catalog';
comment on column budget.downloads is 'Requests of pixels';
comment on column budget.processing_units is 'Processing units charged';
