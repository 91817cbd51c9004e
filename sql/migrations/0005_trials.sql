-- What experiments found: how models do that were trained alike but for their bands, network, encoder or chips.

create table if not exists trial_score (
    trial_score_id     bigint generated always as identity primary key,
    experiment         text not null,
    question           text not null,
    sensor_set         text not null,
    network            text not null,
    encoder            text not null,
    seed               integer not null,
    steps              integer not null,
    change             text not null,
    trained_on         text not null,
    scored_on          text not null,
    sites              integer not null,
    mean_iou           real,
    mean_iou_low       real,
    mean_iou_high      real,
    footprint_iou      real,
    footprint_iou_low  real,
    footprint_iou_high real,
    iou                jsonb not null,
    model_checksum     text not null,
    chips_checksum     text not null,
    recorded_at        timestamptz not null default now(),
    unique (experiment, model_checksum, scored_on)
);
comment on table trial_score is 'How the models of experiments did on validation sites';
comment on column trial_score.question is 'What the experiment is to find out';
comment on column trial_score.change is 'Settings of training that differ from what the trials share; empty: none';
comment on column trial_score.trained_on is 'Commodity whose chips it was trained on, or all';
comment on column trial_score.scored_on is 'Commodity or type of the mines at the validation sites, or all';
comment on column trial_score.sites is 'Number of validation sites';
comment on column trial_score.mean_iou is 'Intersection over union, mean of the components that occur';
comment on column trial_score.mean_iou_low is 'Lower end of the 95 % interval over sites; null for one site';
comment on column trial_score.mean_iou_high is 'Upper end of the 95 % interval over sites';
comment on column trial_score.footprint_iou is 'Intersection over union of the union of the components';
comment on column trial_score.footprint_iou_low is 'Lower end of the 95 % interval over sites';
comment on column trial_score.footprint_iou_high is 'Upper end of the 95 % interval over sites';
comment on column trial_score.iou is 'Intersection over union by component; null where there is none of it';
comment on column trial_score.model_checksum is 'SHA-256 of the model file';
comment on column trial_score.chips_checksum is 'SHA-256 over the training chips';

create or replace view experiment as
select *
from trial_score as score
where recorded_at = (select max(recorded_at) from trial_score where experiment = score.experiment);
comment on view experiment is 'What the latest run of every experiment found';
