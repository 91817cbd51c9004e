-- What analysts stumbled over: the pieces of one dam as so many dams, two months of one name, figures with 14 digits.

set local role minecam_admin;

create or replace function dam_ponds(of_mine text, since date, until date default current_date, metres double precision default 50)
returns table (dam_hectares double precision, pond_before double precision, pond_now double precision,
               difference double precision, tailings_before double precision, tailings_now double precision,
               seen_before timestamptz, seen_now timestamptz, geom geometry)
language sql stable parallel safe
begin atomic
    with before as (select * from mine_on(of_mine, since)),
    now as (select * from mine_on(of_mine, until)),
    piece as (
        select hectares, sensing_time, geom, st_buffer(geom::geography, metres)::geometry as around
        from now where class = 'dam'
    ), numbered as (
        select *, st_clusterdbscan(around, 0, 1) over () as dam from piece
    ), dam as (
        select sum(hectares) as hectares, max(sensing_time) as sensing_time, st_multi(st_union(geom)) as geom,
               st_union(around) as around
        from numbered n group by n.dam
    ), beside as (
        select d.*, b.seen_before, coalesce(b.water, 0) as pond_before, coalesce(n.water, 0) as pond_now,
               coalesce(b.tailings, 0) as tailings_before, coalesce(n.tailings, 0) as tailings_now
        from dam d
        cross join lateral (
            select sum(w.hectares) filter (where w.class = 'mine_water') as water,
                   sum(w.hectares) filter (where w.class = 'tailings') as tailings,
                   (select max(k.sensing_time) from before k where st_intersects(k.geom, d.geom)) as seen_before
            from before w where w.class in ('mine_water', 'tailings') and st_intersects(w.geom, d.around)
        ) b
        cross join lateral (
            select sum(w.hectares) filter (where w.class = 'mine_water') as water,
                   sum(w.hectares) filter (where w.class = 'tailings') as tailings
            from now w where w.class in ('mine_water', 'tailings') and st_intersects(w.geom, d.around)
        ) n
        where b.seen_before is not null
    )
    select round(hectares::numeric, 2)::float8, round(pond_before::numeric, 2)::float8, round(pond_now::numeric, 2)::float8,
           round((pond_now - pond_before)::numeric, 2)::float8, round(tailings_before::numeric, 2)::float8,
           round(tailings_now::numeric, 2)::float8, seen_before, sensing_time, geom
    from beside
    where pond_before > 0 or pond_now > 0
    order by pond_now - pond_before desc, beside.hectares desc;
end;
comment on function dam_ponds is 'The dams of a mine with the hectares of mine water, and of tailings, within so many metres on two days; pieces within twice that of each other are one dam; the pond that grew most first, then the largest dam';

create or replace view cost as
select min(a.acquisition_id) as cost_id, m.slug as mine, date_trunc('month', a.sensing_time, 'UTC')::date as month,
       a.state as outcome, count(*) as acquisitions, round(sum(a.processing_units)::numeric, 3)::float8 as processing_units,
       date_trunc('month', a.sensing_time, 'UTC')::date as sensing_month
from acquisition a
join mine m using (mine_id)
group by m.slug, 3, a.state;
comment on column cost.sensing_month is 'First day of the month (UTC) of sensing; budget.month is that of the request';
comment on column cost.month is 'Until 0.3: ask sensing_month';

create or replace view open_alert as
select o.alert_id, o.mine, o.rule, o.state, o.severity, o.hectares, o.longitude, o.latitude, o.first_time, o.last_time,
       o.age_days, o.observations, o.product_ids, o.before_epochs, o.epoch_id,
       o.geom::geometry(MultiPolygon, 4326) as geom, round(a.measured::numeric, 2)::float8 as measured,
       unit(r.measure) as unit
from open_alert_as_of('infinity') o
join alert a on a.alert_id = o.alert_id
join rule r on r.rule_id = a.rule_id;
