-- Outside of any transaction: for a moment it locks what everybody reads.
select add_year(%(sensing_time)s)
