select a.*, m.slug as mine, is_rejected(a.acquisition_id) as rejected
from acquisition a
join mine m using (mine_id)
where a.acquisition_id = %(acquisition_id)s
for update of a
