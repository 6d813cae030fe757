-- The grain of interactions: one shopper looks at one product once at a moment. Rows = failure.
with shared_moments as (
    select seen_at
    from interactions
    where business_date = $business_date
    group by seen_at
    having count(*) > 1
)

select
    interactions.store_id,
    interactions.seen_at,
    interactions.shopper_id,
    interactions.sku
from interactions
semi join shared_moments on interactions.seen_at = shared_moments.seen_at
where interactions.business_date = $business_date
group by interactions.store_id, interactions.seen_at, interactions.shopper_id, interactions.sku
having count(*) > 1;
