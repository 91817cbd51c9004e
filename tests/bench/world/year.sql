-- A year of segments beside the table: made bare, filled, indexed, attached. YEAR stands for the year.
drop table if exists minecam_years.segment_YEAR;
create table minecam_years.segment_YEAR (like minecam.segment including defaults);
-- COPY;
set maintenance_work_mem = '1GB';
alter table minecam_years.segment_YEAR add primary key (segment_id, sensing_time);
create index on minecam_years.segment_YEAR (epoch_id);
create index on minecam_years.segment_YEAR using gist (geom);
alter table minecam_years.segment_YEAR add check (sensing_time is not null and sensing_time >= 'YEAR-01-01Z' and sensing_time < 'YEAR_AFTER-01-01Z');
alter table minecam.segment attach partition minecam_years.segment_YEAR for values from ('YEAR-01-01Z') to ('YEAR_AFTER-01-01Z')
