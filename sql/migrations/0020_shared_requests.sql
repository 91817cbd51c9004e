-- One request may serve several mines: each is charged its part of the units, the first of them the request.

set local role minecam_admin;

alter table charge add requests smallint not null default 1 check (requests in (0, 1));
comment on column charge.requests is '1; 0: the request was charged to a mine near by, which shared it';

create or replace view budget as
select min(c.charge_id) as budget_id, m.slug as mine, date_trunc('month', c.at, 'UTC')::date as month,
       count(*) filter (where c.kind = 'search') as searches, count(*) filter (where c.kind = 'process') as downloads,
       round(sum(c.processing_units)::numeric, 3)::float8 as processing_units,
       count(*) filter (where c.kind = 'look') as looks, sum(c.requests) as requests
from charge c
join mine m using (mine_id)
group by m.slug, 3;
comment on column budget.requests is 'Requests charged; of one that mines share, none to the others';
