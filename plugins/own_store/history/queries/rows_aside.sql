-- Unreadable rows of a date, or of all dates where none is given. Those without a date belong to the newest one.
select
    line,
    reason,
    text
from aside
where $date is null or date = $date or ($is_newest and date = -1)
order by line;
