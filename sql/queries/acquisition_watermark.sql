-- The latest day that is known of a mine, in one collection and for one sensor set; where none is, the day on which the
-- catalog was searched for it last, or, if it never was, that on which it was registered.
select max(sensing_date) as latest,
       case when max(sensing_date) is null then
           coalesce((select max(at) from charge where mine_id = %(mine_id)s and kind = 'search'),
                    (select registered_at from mine where mine_id = %(mine_id)s))::date end as searched
from acquisition
where mine_id = %(mine_id)s and sensor_set = %(sensor_set)s and collection = %(collection)s and superseded_at is null;
