-- Whether the latest that people decided on an acquisition was to release it.
select 1 as released
from (select decision from acquisition_decision where acquisition_id = %(acquisition_id)s
      order by acquisition_decision_id desc limit 1) latest
where decision = 'released'
