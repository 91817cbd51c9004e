-- The quarantine is a queue with a way out: people release or reject what waits in it.

set local role minecam_admin;

create table acquisition_decision (
    acquisition_decision_id bigint generated always as identity primary key,
    acquisition_id bigint not null references acquisition,
    decision       text not null check (decision in ('released', 'rejected')),
    actor          text not null,
    why            text not null,
    at             timestamptz not null default now()
);
create index acquisition_decision_acquisition on acquisition_decision (acquisition_id);
comment on table acquisition_decision is 'What people decided on acquisitions in quarantine';
comment on column acquisition_decision.acquisition_decision_id is 'Key';
comment on column acquisition_decision.acquisition_id is 'The acquisition';
comment on column acquisition_decision.decision is 'released: accepted in spite of its reasons; rejected: left as it is, and not judged again';
comment on column acquisition_decision.actor is 'The person';
comment on column acquisition_decision.why is 'Why';
comment on column acquisition_decision.at is 'When';
grant insert on acquisition_decision to minecam_ingest;

create view quarantine as
select a.acquisition_id, m.slug as mine, a.sensing_time, a.sensor_set, a.reasons,
       round(a.aoi_coverage::numeric, 3)::float8 as aoi_coverage, round(a.valid_share::numeric, 3)::float8 as valid_share,
       round(a.cloud_share::numeric, 3)::float8 as cloud_share, a.validated_at, a.product_ids, a.raster
from acquisition a
join mine m using (mine_id)
where a.state = 'quarantined' and a.superseded_at is null
  and not exists (select from acquisition_decision d
                  where d.acquisition_id = a.acquisition_id and d.decision = 'rejected');
comment on view quarantine is 'Acquisitions in quarantine that nobody rejected';
comment on column quarantine.acquisition_id is 'The acquisition';
comment on column quarantine.mine is 'Slug of the mine';
comment on column quarantine.sensing_time is 'When the satellite looked (UTC)';
comment on column quarantine.sensor_set is 'Bands that the model sees';
comment on column quarantine.reasons is 'Why it was refused';
comment on column quarantine.aoi_coverage is 'Share (0-1) of the AOI inside the swath';
comment on column quarantine.valid_share is 'Share (0-1) of the AOI that was truly observed';
comment on column quarantine.cloud_share is 'Share (0-1) of the AOI under cloud, shadow or cirrus';
comment on column quarantine.validated_at is 'When it was judged';
comment on column quarantine.product_ids is 'Products that it is made of';
comment on column quarantine.raster is 'Address of the acquisition raster';
