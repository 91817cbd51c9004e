-- What was said of every mine: comparisons with an earlier epoch, hectares newly mined (from background or reclaimed
-- ground to any other component), alerts, and why acquisitions were left out.
select m.slug,
       (select count(*) from comparison k join epoch e using (epoch_id)
        where k.mine_id = m.mine_id and e.model = %(model)s and k.superseded_at is null
          and cardinality(k.previous_epochs) > 0)::integer as comparisons,
       (select coalesce(sum(c.hectares), 0) from change c join comparison k using (comparison_id)
        join epoch e using (epoch_id)
        where c.mine_id = m.mine_id and e.model = %(model)s and k.superseded_at is null
          and c.from_class in (0, 10) and c.to_class between 1 and 9) as hectares,
       (select count(*) from alert a where a.mine_id = m.mine_id)::integer as alerts,
       (select coalesce(array_agg(distinct reason), '{}') from acquisition a, unnest(a.reasons) as reason
        where a.mine_id = m.mine_id and a.superseded_at is null) as reasons
from mine m
