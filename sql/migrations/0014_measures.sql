-- Rules measure more than a transition, alerts can be of no ground at all, and people decide who is told what.

set local role minecam_admin;

alter table rule rename column threshold_hectares to threshold;
alter table rule
    alter from_classes set default '{}',
    alter to_classes set default '{}',
    add measure        text not null default 'transition'
        check (measure in ('transition', 'hectares', 'patch', 'growth', 'growth_percent', 'unseen', 'silent')),
    add window_days    integer check (window_days > 0),
    add severity_steps real[] not null default '{2,5}',
    add cooldown_days  integer not null default 30 check (cooldown_days >= 0),
    add constraint rule_window check ((measure in ('growth', 'growth_percent')) = (window_days is not null)),
    add constraint rule_place check (place = 'anywhere' or measure in ('transition', 'hectares', 'patch')),
    add constraint rule_classes check (cardinality(to_classes) > 0 or measure in ('unseen', 'silent'));
comment on table rule is 'What raises an alert: a measure of a mine, or of the fleet, that reaches a threshold';
comment on column rule.measure is 'transition: hectares of ground that became another class since an alert began; hectares: of the classes to, all together; patch: of ground of these that lies together; growth and growth_percent: of these within window_days; unseen: days in which a mine was not truly seen; silent: days in which nothing came of any mine, beyond the longest such gap of the last 60 days, twice the usual one at most';
comment on column rule.threshold is 'From which it fires, in the unit of its measure: hectares, per cent or days';
comment on column rule.window_days is 'Days over which growth is measured';
comment on column rule.severity_steps is 'Multiples of the threshold from which the severity is 2, 3, ...';
comment on column rule.cooldown_days is 'Days after the last observation of a closed alert in which people are told of a new one on the same ground only when it is confirmed';

alter table alert
    alter mine_id drop not null,
    alter hectares drop not null,
    alter first_epoch_id drop not null,
    alter last_epoch_id drop not null,
    alter geom drop not null,
    drop constraint alert_severity_check,
    add constraint alert_severity_check check (severity >= 1),
    add lasts boolean not null default false,
    add measured double precision;
update alert set measured = hectares;
alter table alert alter measured set not null;
comment on column alert.mine_id is 'The mine; null: the fleet, as far as the rule is for it';
comment on column alert.hectares is 'Hectares of its ground; null: it is of no ground';
comment on column alert.measured is 'What the rule measured, in its unit: hectares, per cent or days';
comment on column alert.lasts is 'It was resolved, and no observation has shown since that it is over: it is not raised again';
comment on column alert.severity is '1: at the threshold, 2, 3, ...: from so many times it as the rule says';
comment on column alert.geom is 'Its ground, EPSG:4326; where a mine was not seen, its AOI; null: the fleet';

alter table alert_event add quiet boolean not null default false;
comment on column alert_event.quiet is 'Recorded, but nobody is told: within the cool-down of its rule';

create table route (
    route_id       integer generated always as identity primary key,
    block          text not null,
    rule_id        integer references rule,
    least_severity smallint not null default 1 check (least_severity >= 1),
    states         text[] not null default '{provisional,confirmed,acknowledged,resolved,expired}'
        check (states <@ '{provisional,confirmed,acknowledged,resolved,expired}'::text[]),
    digest         boolean not null default false,
    enabled        boolean not null default true,
    added_at       timestamptz not null default now()
);
comment on table route is 'Who is told of which events; without any, all go to MINECAM_NOTIFICATION_BLOCK at once';
comment on column route.route_id is 'Key';
comment on column route.block is 'Prefect notification block: a name, or type/name';
comment on column route.rule_id is 'The only rule whose alerts go this way; null: all';
comment on column route.least_severity is 'Severity from which alerts go this way';
comment on column route.states is 'States that are told of';
comment on column route.digest is 'All in one message at the end of a run of the fleet, not each at once';
comment on column route.enabled is 'Whether it is used';
comment on column route.added_at is 'When it was added';

create table delivery (
    alert_event_id bigint not null references alert_event,
    block          text not null,
    tries          integer not null default 0,
    problem        text,
    delivered_at   timestamptz,
    primary key (alert_event_id, block)
);
comment on table delivery is 'What became of an event at a notification block; block prefect is the artifact and the Prefect event';
comment on column delivery.alert_event_id is 'The event';
comment on column delivery.block is 'Where it is delivered';
comment on column delivery.tries is 'How often that failed';
comment on column delivery.problem is 'Why it failed last';
comment on column delivery.delivered_at is 'When it was delivered; null: it waits';
grant insert, update on delivery to minecam_ingest;

create function unit(measure text) returns text
language sql immutable parallel safe
return case when measure = 'growth_percent' then '%' when measure in ('unseen', 'silent') then 'days' else 'ha' end;
comment on function unit is 'The unit of a measure of rules';

create or replace function open_alert_as_of(moment timestamptz)
returns table (alert_id bigint, mine text, rule text, state text, severity smallint, hectares double precision,
               longitude double precision, latitude double precision, first_time timestamptz, last_time timestamptz,
               age_days integer, observations smallint[], product_ids text[], before_epochs bigint[], epoch_id bigint,
               geom geometry(MultiPolygon, 4326))
language sql stable parallel safe
begin atomic
    select a.alert_id, m.slug, r.name, v.to_state, a.severity, round(a.hectares::numeric, 2)::float8,
           round(st_x(st_pointonsurface(a.geom))::numeric, 5)::float8,
           round(st_y(st_pointonsurface(a.geom))::numeric, 5)::float8, a.first_time, a.last_time,
           extract(day from least(moment, now()) - a.first_time)::integer, a.observations, q.product_ids,
           k.previous_epochs, a.first_epoch_id, a.geom
    from alert a
    join rule r using (rule_id)
    join lateral (
        select to_state from alert_event
        where alert_id = a.alert_id and at <= moment
        order by alert_event_id desc
        limit 1
    ) v on v.to_state in ('provisional', 'confirmed', 'acknowledged')
    left join mine m on m.mine_id = a.mine_id
    left join epoch e on e.epoch_id = a.first_epoch_id
    left join acquisition q on q.acquisition_id = e.acquisition_id
    left join comparison k on k.epoch_id = e.epoch_id and known(k.created_at, k.superseded_at, moment)
    where a.raised_at <= moment;
end;

create or replace view open_alert as
select o.alert_id, o.mine, o.rule, o.state, o.severity, o.hectares, o.longitude, o.latitude, o.first_time, o.last_time,
       o.age_days, o.observations, o.product_ids, o.before_epochs, o.epoch_id,
       o.geom::geometry(MultiPolygon, 4326) as geom, a.measured, unit(r.measure) as unit
from open_alert_as_of('infinity') o
join alert a on a.alert_id = o.alert_id
join rule r on r.rule_id = a.rule_id;
comment on column open_alert.mine is 'Slug of the mine; null: the fleet';
comment on column open_alert.measured is 'What the rule measured';
comment on column open_alert.unit is 'Its unit: hectares, per cent or days';

create or replace view alert_history as
select v.alert_event_id, v.alert_id, m.slug as mine, r.name as rule, v.from_state, v.to_state, v.at, v.actor, v.why,
       v.delivered_at, e.sensing_time, v.epoch_id, v.quiet
from alert_event v
join alert a using (alert_id)
join rule r using (rule_id)
left join mine m on m.mine_id = a.mine_id
left join epoch e on e.epoch_id = v.epoch_id;
comment on column alert_history.mine is 'Slug of the mine; null: the fleet';
comment on column alert_history.quiet is 'Recorded, but nobody is told: within the cool-down of its rule';

insert into rule (name, description, measure, threshold, confirm_n, confirm_m, cooldown_days) values
    ('not-seen', 'The mine was not truly seen', 'unseen', 30, 1, 1, 0),
    ('fleet-silent', 'Nothing new came of any mine, longer than ever in the last 60 days', 'silent', 2, 1, 1, 0);
-- Sound only where somebody has set the threshold to the mine: `minecam rule enable`.
insert into rule (name, description, to_classes, measure, window_days, place, threshold, enabled) values
    ('fast-growth', 'The mine grew fast', '{1,2,3,4,5,6,7,8,9}', 'growth_percent', 180, 'anywhere', 10, false),
    ('large-pond', 'A pond is large', '{6}', 'patch', null, 'anywhere', 10, false),
    ('ground-outside-licence', 'Mining ground lies outside the licence, since whenever', '{1,2,3,4,5,6,7,8,9}',
     'hectares', null, 'outside_licence', 2, false);
