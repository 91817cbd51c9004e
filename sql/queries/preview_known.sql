-- Whether an acquisition was previewed and found worth its price, or a person released it.
select 1 as known
where exists (select from validation
              where acquisition_id = %(acquisition_id)s and suite = 'preview' and passed)
   or (select decision from acquisition_decision where acquisition_id = %(acquisition_id)s
       order by acquisition_decision_id desc limit 1) = 'released'
