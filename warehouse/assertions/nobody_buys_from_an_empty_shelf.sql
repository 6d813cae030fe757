-- A purchase needs stock. Rows = failure.
select
    store_id,
    seen_at,
    sku
from interactions
where business_date = $business_date and purchased and inventory_level = 0;
