select state, count(*)::integer as count from alert where mine_id = %(mine_id)s group by state
