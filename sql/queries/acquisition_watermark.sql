-- The latest day that is known of a mine, in one collection and for one sensor set.
select max(sensing_date) as latest
from acquisition
where mine_id = %(mine_id)s and sensor_set = %(sensor_set)s and collection = %(collection)s and superseded_at is null;
