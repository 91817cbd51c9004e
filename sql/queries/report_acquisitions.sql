select state, count(*)::integer as count from acquisition
where mine_id = %(mine_id)s and superseded_at is null
group by state
