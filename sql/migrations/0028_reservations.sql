-- What a request will cost is charged before it is made, and set right by its answer: so all workers together keep to
-- the limits, and what a killed worker has asked for is not forgotten.

set local role minecam_admin;

alter table charge add settled_at timestamptz default now();
comment on column charge.settled_at is 'When the answer said what it cost; null: under way, or its worker was killed, and it counts as what it should cost';
comment on column charge.processing_units is 'Processing units charged; until it is settled, what it should cost';
grant update (processing_units, requests, settled_at) on charge to minecam_ingest;

create or replace view budget as
select min(c.charge_id) as budget_id, m.slug as mine, date_trunc('month', c.at, 'UTC')::date as month,
       count(*) filter (where c.kind = 'search') as searches, count(*) filter (where c.kind = 'process') as downloads,
       round(sum(c.processing_units)::numeric, 3)::float8 as processing_units,
       count(*) filter (where c.kind = 'preview') as previews, sum(c.requests) as requests,
       count(*) filter (where c.kind = 'preview') as looks
from charge c
join mine m using (mine_id)
where c.processing_units > 0 or c.requests > 0
group by m.slug, 3;
