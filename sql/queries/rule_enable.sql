update rule set enabled = %(enabled)s where name = %(name)s returning *
