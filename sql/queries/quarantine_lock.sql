select a.*, m.slug as mine,
       exists (select from acquisition_decision d
               where d.acquisition_id = a.acquisition_id and d.decision = 'rejected') as rejected
from acquisition a
join mine m using (mine_id)
where a.acquisition_id = %(acquisition_id)s
for update of a
