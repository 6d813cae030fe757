-- The first unreadable row of a file, and how many there are.
select
    line,
    reason,
    text,
    (select count(*) from aside) as count_rows
from aside
order by line
limit 1;
