select * from rule where enabled order by rule_id
