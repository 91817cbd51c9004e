select mine, month, searches, previews, downloads, processing_units
from budget
where %(mine)s::text is null or mine = %(mine)s
order by month desc, processing_units desc, mine
