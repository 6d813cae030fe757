-- No shopper of the twin is shown a price outside the product's limits. Rows = failure.
with shown as (
    select
        business_date,
        sku,
        min(price_offered) as lowest_price,
        max(price_offered) as highest_price
    from interactions
    where list_contains($business_dates, business_date) and policy <> 'external'
    group by business_date, sku
)

select
    shown.business_date,
    shown.sku,
    shown.lowest_price,
    shown.highest_price
from shown
inner join products on shown.sku = products.sku
where shown.lowest_price < products.floor_price or shown.highest_price > products.ceiling_price;
