-- The schema of MineCam: mines, what was observed of them, what was found, what changed, what was raised.
-- Geometries are in EPSG:4326; hectares come from the UTM raster. Nothing is deleted: rows are superseded.

create extension if not exists postgis schema public;

create table mine (
    mine_id       integer generated always as identity primary key,
    slug          text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name          text not null,
    country       text,
    commodity     text,
    operator      text,
    mine_type     text,
    model         text,
    notes         text,
    aoi           geometry(MultiPolygon, 4326) not null,
    licence       geometry(MultiPolygon, 4326),
    registered_at timestamptz not null default now(),
    retired_at    timestamptz
);
create index mine_aoi on mine using gist (aoi);
comment on table mine is 'Registered mine sites';
comment on column mine.slug is 'Short name used in commands, addresses and URLs';
comment on column mine.model is 'Model that watches this mine; null: the default model (MINECAM_MODEL)';
comment on column mine.aoi is 'Area of interest: what is downloaded and measured';
comment on column mine.licence is 'Licensed ground, where known';
comment on column mine.retired_at is 'Since when the mine is no longer watched';

create table zone (
    zone_id integer generated always as identity primary key,
    slug    text not null unique,
    name    text not null,
    kind    text not null,
    geom    geometry(MultiPolygon, 4326) not null
);
create index zone_geom on zone using gist (geom);
comment on table zone is 'No-go and protected areas';

create table label (
    class_id smallint primary key,
    name     text not null unique,
    meaning  text not null,
    colour   text not null
);
comment on table label is 'Background and the ten mine components';

create table acquisition (
    acquisition_id   bigint generated always as identity primary key,
    mine_id          integer not null references mine,
    sensor_set       text not null,
    collection       text not null,
    orbit_direction  text not null default '',
    sensing_date     date not null,
    sensing_time     timestamptz not null,
    published_at     timestamptz,
    product_ids      text[] not null,
    baseline         text,
    cloud_cover      real,
    state            text not null default 'discovered'
        check (state in ('discovered', 'downloaded', 'accepted', 'quarantined', 'segmented', 'failed')),
    reasons          text[] not null default '{}',
    tries            integer not null default 0,
    raster           text,
    checksum         text,
    processing_units double precision not null default 0,
    aoi_coverage     real,
    valid_share      real,
    cloud_share      real,
    discovered_at    timestamptz not null default now(),
    downloaded_at    timestamptz,
    validated_at     timestamptz,
    segmented_at     timestamptz,
    superseded_at    timestamptz,
    superseded_why   text
);
create unique index acquisition_current
    on acquisition (mine_id, sensor_set, collection, orbit_direction, sensing_date) where superseded_at is null;
create index acquisition_mine_time on acquisition (mine_id, sensing_time);
comment on table acquisition is 'One sensing of one mine by one collection on one day, for one sensor set; its row is its state machine';
comment on column acquisition.cloud_cover is 'Cloud share (0-1) of the whole tile, as the catalog gives it';
comment on column acquisition.reasons is 'Why it was quarantined or failed';
comment on column acquisition.tries is 'How often a step failed';
comment on column acquisition.raster is 'Address of the acquisition raster';
comment on column acquisition.checksum is 'SHA-256 of the acquisition raster';
comment on column acquisition.processing_units is 'Processing units charged for the download';
comment on column acquisition.aoi_coverage is 'Share (0-1) of the AOI inside the swath';
comment on column acquisition.valid_share is 'Share (0-1) of the AOI that was truly observed';
comment on column acquisition.cloud_share is 'Share (0-1) of the AOI under cloud, shadow or cirrus';

create table validation (
    validation_id  bigint generated always as identity primary key,
    acquisition_id bigint not null references acquisition,
    suite          text not null,
    passed         boolean not null,
    reasons        text[] not null default '{}',
    figures        jsonb not null,
    flow_run_id    text,
    validated_at   timestamptz not null default now()
);
create index validation_acquisition on validation (acquisition_id);
comment on table validation is 'What a great-expectations suite said of an acquisition or of its segments';
comment on column validation.figures is 'The measured figures that the suite judged';

create table epoch (
    epoch_id            bigint generated always as identity primary key,
    acquisition_id      bigint not null references acquisition,
    mine_id             integer not null references mine,
    sensor_set          text not null,
    orbit_direction     text not null default '',
    sensing_time        timestamptz not null,
    model               text not null,
    model_checksum      text not null,
    code_version        text not null,
    flow_run_id         text,
    class_raster        text not null,
    class_checksum      text not null,
    confidence_raster   text not null,
    confidence_checksum text not null,
    aoi_hectares        double precision not null,
    valid_hectares      double precision not null,
    created_at          timestamptz not null default now(),
    superseded_at       timestamptz,
    superseded_why      text
);
create unique index epoch_current on epoch (acquisition_id, model) where superseded_at is null;
create index epoch_mine_time on epoch (mine_id, sensing_time) where superseded_at is null;
comment on table epoch is 'An accepted, segmented acquisition of a mine';
comment on column epoch.model_checksum is 'SHA-256 of the model weights';
comment on column epoch.valid_hectares is 'Hectares of the AOI that were truly observed';

create table class_area (
    epoch_id   bigint not null references epoch,
    class_id   smallint not null references label,
    hectares   double precision not null,
    confidence real,
    primary key (epoch_id, class_id)
);
comment on table class_area is 'Hectares and mean confidence (0-1) of every class in an epoch, from the class raster';

create table segment (
    segment_id bigint generated always as identity primary key,
    epoch_id   bigint not null references epoch,
    mine_id    integer not null references mine,
    class_id   smallint not null references label,
    hectares   real not null,
    confidence real not null,
    geom       geometry(MultiPolygon, 4326) not null
);
create index segment_epoch on segment (epoch_id);
create index segment_geom on segment using gist (geom);
comment on table segment is 'One polygon of one class in one epoch';
comment on column segment.confidence is 'Mean confidence (0-1) of its pixels';

create table comparison (
    comparison_id    bigint generated always as identity primary key,
    epoch_id         bigint not null references epoch,
    mine_id          integer not null references mine,
    previous_epochs  bigint[] not null,
    valid_hectares   double precision not null,
    unknown_hectares double precision not null,
    changed_hectares double precision not null,
    flow_run_id      text,
    created_at       timestamptz not null default now(),
    checked_at       timestamptz not null default now(),
    superseded_at    timestamptz,
    superseded_why   text
);
create unique index comparison_current on comparison (epoch_id) where superseded_at is null;
comment on table comparison is 'An epoch held against the previous epoch: pixel by pixel, the latest valid observation before it';
comment on column comparison.previous_epochs is 'The epochs that gave the previous observation of at least one pixel, latest first';
comment on column comparison.checked_at is 'When it was last made or found to hold; epochs before it that came later make it due again';
comment on column comparison.valid_hectares is 'Hectares valid on both sides; everything else is unknown';

create table change (
    change_id     bigint generated always as identity primary key,
    comparison_id bigint not null references comparison,
    mine_id       integer not null references mine,
    from_class    smallint not null references label,
    to_class      smallint not null references label,
    hectares      real not null,
    confidence    real not null,
    previous_time timestamptz not null,
    sensing_time  timestamptz not null,
    geom          geometry(MultiPolygon, 4326) not null
);
create index change_comparison on change (comparison_id);
create index change_mine_time on change (mine_id, sensing_time);
create index change_geom on change using gist (geom);
comment on table change is 'A polygon whose class differs between an epoch and its previous epoch';
comment on column change.previous_time is 'Latest sensing time of the previous observations of its pixels';

create table rule (
    rule_id            integer generated always as identity primary key,
    name               text not null unique,
    description        text not null,
    from_classes       smallint[] not null,
    to_classes         smallint[] not null,
    place              text not null default 'anywhere' check (place in ('anywhere', 'outside_licence', 'inside_zone')),
    threshold_hectares double precision not null check (threshold_hectares > 0),
    confirm_n          smallint not null default 2 check (confirm_n >= 1),
    confirm_m          smallint not null default 3,
    expire_days        integer not null default 180 check (expire_days > 0),
    enabled            boolean not null default true,
    check (confirm_m >= confirm_n)
);
comment on table rule is 'What raises an alert: hectares of a transition, at a place';
comment on column rule.confirm_n is 'Agreeing observations, of confirm_m valid ones after the first detection, that confirm an alert';

create table alert (
    alert_id       bigint generated always as identity primary key,
    mine_id        integer not null references mine,
    rule_id        integer not null references rule,
    state          text not null default 'provisional'
        check (state in ('provisional', 'confirmed', 'acknowledged', 'resolved', 'expired')),
    severity       smallint not null check (severity between 1 and 3),
    hectares       real not null,
    first_time     timestamptz not null,
    last_time      timestamptz not null,
    first_epoch_id bigint not null references epoch,
    last_epoch_id  bigint not null references epoch,
    observations   smallint[] not null default '{}',
    raised_at      timestamptz not null default now(),
    updated_at     timestamptz not null default now(),
    geom           geometry(MultiPolygon, 4326) not null
);
create index alert_mine on alert (mine_id, state);
create index alert_geom on alert using gist (geom);
comment on table alert is 'A rule that fired; an alert that goes on is updated, never raised again';
comment on column alert.severity is '1: at the threshold, 2: from twice, 3: from five times the threshold';
comment on column alert.first_time is 'Sensing time of the first detection: the date of the alert';
comment on column alert.observations is 'Valid observations since the first detection: 1 agrees, 0 does not';

create table alert_event (
    alert_event_id bigint generated always as identity primary key,
    alert_id       bigint not null references alert,
    from_state     text,
    to_state       text not null,
    epoch_id       bigint references epoch,
    actor          text not null,
    why            text not null,
    at             timestamptz not null default now(),
    delivered_at   timestamptz
);
create index alert_event_alert on alert_event (alert_id);
comment on table alert_event is 'Every transition of an alert: when, why, by which epoch or person, and when it was delivered';
