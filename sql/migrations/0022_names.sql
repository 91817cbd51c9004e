-- Names that the field knows. What was called otherwise before goes on working for one version, and says so.

set local role minecam_admin;

-- A cheap look before the download is a preview.
update validation set suite = 'preview' where suite = 'look';
alter table charge drop constraint charge_kind_check;
update charge set kind = 'preview' where kind = 'look';
alter table charge add constraint charge_kind_check check (kind in ('search', 'preview', 'process'));
comment on column charge.kind is 'search: of the catalog, by the formula of the documentation; preview: of the scene classes at low resolution, process: of pixels, as the answer said';

alter view budget rename column looks to previews;
create or replace view budget as
select min(c.charge_id) as budget_id, m.slug as mine, date_trunc('month', c.at, 'UTC')::date as month,
       count(*) filter (where c.kind = 'search') as searches, count(*) filter (where c.kind = 'process') as downloads,
       round(sum(c.processing_units)::numeric, 3)::float8 as processing_units,
       count(*) filter (where c.kind = 'preview') as previews, sum(c.requests) as requests,
       count(*) filter (where c.kind = 'preview') as looks
from charge c
join mine m using (mine_id)
group by m.slug, 3;
comment on column budget.previews is 'Previews at low resolution before a download';
comment on column budget.looks is 'Renamed: ask previews; this name goes with version 0.3';

-- What the monitor knows of each mine is its status.
alter view watch rename to mine_status;
alter view mine_status rename column last_valid_look to last_valid_observation;
comment on view mine_status is 'Every mine with its last observation that saw at least half of the AOI, days since then, and what became of the last acquisition';
comment on column mine_status.last_valid_observation is 'Sensing time of the last epoch that saw at least half of the AOI';

create view watch as
select mine_id, mine, country, commodity, last_valid_observation as last_valid_look, days_since, valid_share,
       last_acquisition, last_state, last_reasons, geom
from mine_status;
comment on view watch is 'Renamed: ask mine_status; this name goes with version 0.3';
comment on column watch.mine_id is 'As mine_status has it';
comment on column watch.mine is 'As mine_status has it';
comment on column watch.country is 'As mine_status has it';
comment on column watch.commodity is 'As mine_status has it';
comment on column watch.last_valid_look is 'Renamed: last_valid_observation of mine_status';
comment on column watch.days_since is 'As mine_status has it';
comment on column watch.valid_share is 'As mine_status has it';
comment on column watch.last_acquisition is 'As mine_status has it';
comment on column watch.last_state is 'As mine_status has it';
comment on column watch.last_reasons is 'As mine_status has it';
comment on column watch.geom is 'As mine_status has it';
