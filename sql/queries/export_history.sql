select * from mine_history where mine = %(mine)s order by sensing_time, history_id
