-- No shopper of the twin is shown a price outside the product's limits. Rows = failure.
with shown as (
    select
        sku,
        min(price_offered) as lowest_price,
        max(price_offered) as highest_price
    from interactions
    where business_date = $business_date and policy <> 'external'
    group by sku
)

select
    shown.sku,
    shown.lowest_price,
    shown.highest_price
from shown
inner join products on shown.sku = products.sku
where shown.lowest_price < products.floor_price or shown.highest_price > products.ceiling_price;
