insert into validation (acquisition_id, suite, passed, reasons, figures, flow_run_id)
values (%(acquisition_id)s, %(suite)s, %(passed)s, %(reasons)s, %(figures)s, %(flow_run_id)s)
