-- The grain of interactions: one shopper looks at one product once at a moment. Rows = failure.
with shared_moments as (
    select seen_at
    from interactions
    where list_contains($business_dates, business_date)
    group by seen_at
    having count(*) > 1
)

select
    interactions.business_date,
    interactions.store_id,
    interactions.seen_at,
    interactions.shopper_id,
    interactions.sku
from interactions
semi join shared_moments on interactions.seen_at = shared_moments.seen_at
where list_contains($business_dates, business_date)
group by
    interactions.business_date,
    interactions.store_id,
    interactions.seen_at,
    interactions.shopper_id,
    interactions.sku
having count(*) > 1;
