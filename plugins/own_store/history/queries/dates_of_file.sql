-- The dates of a file, also those on which no row can be read.
select date
from staged
union
select date
from aside
where date >= 0
order by date;
