-- What a flow run validated of a mine, in order of sensing, and what became of it.
select v.validation_id, v.suite, v.passed, v.reasons, v.figures, a.acquisition_id, a.sensing_time, a.state, a.raster,
       a.checksum
from validation v
join acquisition a using (acquisition_id)
where v.flow_run_id = %(flow_run_id)s and a.mine_id = %(mine_id)s
order by a.sensing_time, v.validation_id
