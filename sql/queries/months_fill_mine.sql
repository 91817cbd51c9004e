-- Make the medians of all months of a mine anew.
select fill_months(array[%(mine_id)s::integer])
