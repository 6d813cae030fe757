select
    line,
    date,
    reason,
    text
from aside
order by line;
