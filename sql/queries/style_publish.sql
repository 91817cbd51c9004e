-- The colours of the classes as QGIS styles: by class, by the class that ground became, and outlines of alerts and mines.
with fill as (
    select class_id as symbol, name as value, replace(name, '_', ' ') as label,
           array_to_string(array[('x' || substr(colour, 2, 2))::bit(8)::integer, ('x' || substr(colour, 4, 2))::bit(8)::integer,
                                 ('x' || substr(colour, 6, 2))::bit(8)::integer, 255], ',') as colour
    from label
    where class_id between 0 and 10
), by_class as (
    select layer, xmlelement(name "renderer-v2", xmlattributes('categorizedSymbol' as type, attribute as attr),
               xmlelement(name categories, xmlagg(xmlelement(name category,
                   xmlattributes(value, label, symbol, 'true' as render)) order by symbol)),
               xmlelement(name symbols, xmlagg(xmlelement(name symbol, xmlattributes('fill' as type, symbol as name, 0.7 as alpha),
                   xmlelement(name layer, xmlattributes('SimpleFill' as class, 1 as enabled, 0 as pass, 0 as locked),
                       xmlelement(name prop, xmlattributes('color' as k, colour as v)),
                       xmlelement(name prop, xmlattributes('outline_color' as k, '40,40,40,255' as v)),
                       xmlelement(name prop, xmlattributes('outline_width' as k, 0.1 as v)),
                       xmlelement(name prop, xmlattributes('style' as k, 'solid' as v))) ) order by symbol))) as renderer
    from fill, (values ('latest_segment', 'class'), ('current_segment', 'class'), ('current_change', 'to_class')) as of (layer, attribute)
    where symbol > 0 or layer = 'current_change'  -- ground can become background; segments never are
    group by layer, attribute
), outlined as (
    select layer, xmlelement(name "renderer-v2", xmlattributes('singleSymbol' as type),
               xmlelement(name symbols, xmlelement(name symbol, xmlattributes('fill' as type, 0 as name, 1 as alpha),
                   xmlelement(name layer, xmlattributes('SimpleFill' as class, 1 as enabled, 0 as pass, 0 as locked),
                       xmlelement(name prop, xmlattributes('outline_color' as k, colour as v)),
                       xmlelement(name prop, xmlattributes('outline_width' as k, 0.6 as v)),
                       xmlelement(name prop, xmlattributes('style' as k, 'no' as v)))))) as renderer
    from (values ('open_alert', '255,0,0,255'), ('mine_status', '0,90,200,255'), ('zone', '0,140,60,255')) as of (layer, colour)
), gone as (
    delete from public.layer_styles where f_table_catalog = current_database() and f_table_schema = 'minecam' and stylename = 'minecam'
)
insert into public.layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, stylename, styleqml,
                                 useasdefault, description, owner, type)
select current_database(), 'minecam', layer, 'geom', 'minecam',
       xmlelement(name qgis, xmlattributes('3.22' as version, 'Symbology' as "styleCategories"), renderer),
       true, 'Colours of the classes, as MineCam draws them', current_user, 'Polygon'
from (select * from by_class union all select * from outlined) as every
