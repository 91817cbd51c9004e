update comparison set superseded_at = now(), superseded_why = %(why)s where comparison_id = %(comparison_id)s
