-- Change a mine, and keep what stood there before: what is null stays as it is. Another AOI is since now as it is.
with before as (
    select * from mine where mine_id = %(mine_id)s
), kept as (
    insert into mine_edit (mine_id, edit, geom, words, who, why)
    select mine_id, edit, geom, words, %(who)s, %(why)s
    from before, lateral (
        values ('aoi', aoi, null::jsonb, %(aoi)s::bytea is not null),
               ('licence', licence, null, %(licence)s::bytea is not null or %(no_licence)s),
               ('words', null, (select jsonb_object_agg(key, value) from jsonb_each(to_jsonb(before) - 'aoi' - 'licence')
                                where %(words)s::jsonb ? key), %(words)s::jsonb <> '{}')
    ) as what (edit, geom, words, holds)
    where holds
)
update mine m
set aoi = coalesce(st_geomfromwkb(%(aoi)s::bytea, 4326), m.aoi),
    aoi_since = case when %(aoi)s::bytea is null then m.aoi_since else now() end,
    licence = case when %(no_licence)s then null else coalesce(st_geomfromwkb(%(licence)s::bytea, 4326), m.licence) end,
    name = coalesce(%(words)s::jsonb ->> 'name', m.name),
    country = coalesce(%(words)s::jsonb ->> 'country', m.country),
    commodity = coalesce(%(words)s::jsonb ->> 'commodity', m.commodity),
    operator = coalesce(%(words)s::jsonb ->> 'operator', m.operator),
    mine_type = coalesce(%(words)s::jsonb ->> 'mine_type', m.mine_type),
    model = coalesce(%(words)s::jsonb ->> 'model', m.model),
    notes = coalesce(%(words)s::jsonb ->> 'notes', m.notes)
where mine_id = %(mine_id)s
returning mine_id
