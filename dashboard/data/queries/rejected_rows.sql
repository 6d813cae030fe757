-- The newest $n_rows bad rows, each with its reason.
select
    business_date,
    source,
    row_number,
    reason,
    row_text
from rejected
order by business_date desc, source asc, row_number asc
limit $n_rows;
