-- Acquisitions that wait for budget; others keep the reasons for which they were refused until they are downloaded.
select count(*)::integer as waiting from acquisition join mine using (mine_id)
where retired_at is null and state = 'discovered' and superseded_at is null and reasons[1] like 'waiting for budget%'
