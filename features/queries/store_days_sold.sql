-- One row per store day on which something was sold.
select distinct
    business_date,
    store_id
from sold_in_context
where business_date between $first and $last
order by business_date, store_id;
