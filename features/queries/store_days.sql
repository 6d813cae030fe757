-- One row: how many store days had visits over some days.
select count(distinct row(store_id, business_date)) as count_store_days
from closed_interactions
where business_date between $first and $last;
