select count(*)::integer as mines from rule_mine where rule_id = %(rule_id)s
