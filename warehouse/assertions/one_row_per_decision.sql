-- The grain of interactions: one shopper looks at one product once at a moment. Rows = failure.
select
    store_id,
    seen_at,
    shopper_id,
    sku
from interactions
where business_date = $business_date
group by store_id, seen_at, shopper_id, sku
having count(*) > 1;
