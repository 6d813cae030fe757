-- `bought` and the flag `purchased` say the same. Rows = failure.
select
    store_id,
    seen_at,
    sku
from interactions
where business_date = $business_date and purchased <> (outcome = 'bought');
