-- No shopper of the twin is shown a price outside the product's limits. Rows = failure.
select
    interactions.store_id,
    interactions.seen_at,
    interactions.sku,
    interactions.price_offered
from interactions
inner join products on interactions.sku = products.sku
where
    interactions.business_date = $business_date
    and interactions.policy <> 'external'
    and interactions.price_offered not between products.floor_price and products.ceiling_price;
