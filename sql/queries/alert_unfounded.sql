-- Provisional alerts that an epoch began and no later observation has agreed with.
select alert_id, state
from alert
where first_epoch_id = %(epoch_id)s and state = 'provisional' and not 1 = any (observations)
order by alert_id
for update
