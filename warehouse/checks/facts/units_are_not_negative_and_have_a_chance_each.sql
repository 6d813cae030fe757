-- What was brought back is taken off what was sold, and each unit sold had a chance to be. Rows = failure.
select
    business_date,
    store_id,
    sku,
    hour,
    price
from unit_sales
where
    list_contains($business_dates, business_date)
    and (units < 0 or returned_units < 0 or chances < units or price <= 0);
