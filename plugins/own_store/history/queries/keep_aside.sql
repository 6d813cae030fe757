insert into aside by name
select
    line,
    date,
    reason,
    unread_column,
    unread_value,
    text
from bad;
