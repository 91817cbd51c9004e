select * from observation where mine = %(mine)s order by sensing_time, acquisition_id
