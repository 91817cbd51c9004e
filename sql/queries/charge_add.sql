insert into charge (mine_id, acquisition_id, kind, processing_units, requests)
values (%(mine_id)s, %(acquisition_id)s, %(kind)s, %(processing_units)s, %(requests)s)
