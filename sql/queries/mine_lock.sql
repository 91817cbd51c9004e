-- One run at a time writes the alerts of a mine.
select mine_id from mine where mine_id = %(mine_id)s for no key update
