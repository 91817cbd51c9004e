-- Acquisitions by state, those due and given up; how long those of the last seven days took until their epoch was stored.
-- What is older than 30 days when it comes is a backfill's, and says nothing of how quick the monitor is.
with counted as materialized (
    select a.state, a.tries < %(max_tries)s as again, m.retired_at is null as watched, count(*)::float8 as n
    from acquisition a join mine m using (mine_id)
    where a.superseded_at is null
    group by 1, 2, 3
), stored as materialized (
    select extract(epoch from segmented_at - sensing_time)::float8 as from_sensing,
           extract(epoch from segmented_at - published_at)::float8 as from_publication
    from acquisition
    where sensing_time > now() - interval '37 days' and segmented_at > now() - interval '7 days'
      and segmented_at < sensing_time + interval '30 days'
)
select 'minecam_acquisitions' as metric, array[s.state] as labels, coalesce(sum(c.n), 0) as value
from unnest(array['discovered', 'downloaded', 'accepted', 'quarantined', 'segmented', 'failed']) as s (state)
left join counted c using (state)
group by s.state
union all
select 'minecam_queue', array['acquisitions'], coalesce(sum(n), 0)
from counted
where watched and (state in ('discovered', 'downloaded', 'accepted') or state = 'failed' and again)
union all
select 'minecam_acquisitions_given_up', array[]::text[], coalesce(sum(n), 0) from counted where state = 'failed' and not again
union all
select 'minecam_stored', array[]::text[], count(*) from stored
union all
select 'minecam_stored_after_seconds', array['sensing', q::text],
       percentile_cont(q) within group (order by from_sensing)
from stored, unnest(array[0.5, 0.9, 0.99]::float8[]) as q
group by q
union all
select 'minecam_stored_after_seconds', array['publication', q::text],
       percentile_cont(q) within group (order by from_publication)
from stored, unnest(array[0.5, 0.9, 0.99]::float8[]) as q
where from_publication is not null
group by q
