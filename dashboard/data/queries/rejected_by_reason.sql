-- One row per reason: how many rows were kept out, and on which date last.
select
    reason,
    count(*) as count_rows,
    max(business_date) as newest_date
from rejected
group by reason
order by count_rows desc, reason asc;
