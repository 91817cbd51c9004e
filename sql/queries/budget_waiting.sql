-- Acquisitions that wait for budget.
select count(*)::integer as waiting from acquisition
where state = 'discovered' and superseded_at is null and cardinality(reasons) > 0
