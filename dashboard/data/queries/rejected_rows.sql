-- One row per bad row with its reason, the newest $n_rows of them.
select
    business_date,
    source,
    row_number,
    reason,
    row_text
from rejected
order by business_date desc, source asc, row_number asc
limit $n_rows;
