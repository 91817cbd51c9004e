-- Edges in degrees are straight in degrees, and in UTM they are bent: on the way there, long ones get points in between.
-- `to_utm` is what tasks/rasters/grid.py does, by the same figures.

set local role minecam_admin;

create function utm_epsg(of_aoi geometry) returns integer
language sql immutable parallel safe
begin atomic
    select case when st_y(middle) < 0 then 32700 else 32600 end
           + least(60, 1 + floor((st_x(middle) - case when st_x(middle) > 180 then 360 else 0 end + 180) / 6)::integer)
    from st_centroid(case when st_xmax(of_aoi) - st_xmin(of_aoi) > 180 then st_shiftlongitude(of_aoi) else of_aoi end)
         as middle;
end;
comment on function utm_epsg is 'EPSG code of the UTM zone of a mine, by its AOI; one on both sides of 180 degrees lies together';

create function beside(geom geometry, meridian integer) returns geometry
language sql immutable parallel safe
begin atomic
    select coalesce(st_collectionextract(st_union(st_intersection(turned, around)), 3),
                    'srid=4326;multipolygon empty'::geometry)
    from st_makeenvelope(meridian - 20, -90, meridian + 20, 90, 4326) as around,
         generate_series(-360, 360, 360) as turn,
         st_translate(geom, turn, 0) as turned
    where st_intersects(turned, around);
end;
comment on function beside is 'What of polygons lies within 20 degrees of a meridian, with longitudes counted from there, whole across 180 degrees';

create function to_utm(geom geometry, epsg integer) returns geometry
language sql immutable parallel safe
begin atomic
    select st_transform(st_segmentize(
        case when st_xmin(geom) >= 6 * (epsg % 100) - 203 and st_xmax(geom) <= 6 * (epsg % 100) - 163 then geom
             else beside(geom, 6 * (epsg % 100) - 183) end, 0.02), epsg);
end;
comment on function to_utm is 'Polygons in metres of a UTM zone, edges where they lie in degrees, to a tenth of a pixel; what lies more than 20 degrees beside the zone is cut off';

create or replace function hectares(geom geometry, of_aoi geometry) returns double precision
language sql immutable parallel safe
begin atomic
    select st_area(to_utm(geom, utm_epsg(of_aoi))) / 10000;
end;

create function near(geom geometry, of_aoi geometry) returns geometry
language sql immutable parallel safe
begin atomic
    select st_collectionextract(st_intersection(geom, st_expand(st_envelope(of_aoi), 0.01)), 3);
end;
comment on function near is 'What of polygons lies in the box around an AOI, and a little beyond: a licence or zone of any size, as far as it concerns the mine';
