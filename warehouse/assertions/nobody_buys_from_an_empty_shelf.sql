-- A purchase needs stock. Rows = failure.
select
    business_date,
    store_id,
    seen_at,
    sku
from closed_interactions
where list_contains($business_dates, business_date) and purchased and inventory_level = 0;
