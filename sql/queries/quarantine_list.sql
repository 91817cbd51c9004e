select q.* from quarantine q
where %(mine)s::text is null or q.mine = %(mine)s
order by q.mine, q.sensing_time, q.acquisition_id
