-- A purchase needs stock. Rows = failure.
select
    business_date,
    store_id,
    sku,
    count_purchased
from decided
where not is_met and count_purchased > 0;
