update mine set priority = %(priority)s where slug = %(slug)s returning mine_id
