-- Reasons for which more than half of all rows have a number that cannot be read, with the first of them.
with total as (
    select (select count(*) from staged) + (select count(*) from aside) as count_rows
)

select
    aside.reason,
    arg_min(aside.unread_column, aside.line) as unread_column,
    count(*) as count_unread,
    total.count_rows,
    min(aside.line) as line,
    arg_min(aside.unread_value, aside.line) as unread_value
from aside
cross join total
where aside.unread_column is not null
group by aside.reason, total.count_rows
having 2 * count(*) > total.count_rows
order by line
limit 1;
