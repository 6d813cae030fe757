-- No shopper of the twin is shown a price outside the product's limits. Rows = failure.
with shown as (
    select
        business_date,
        sku,
        min(lowest_price_eur) as lowest_price_eur,
        max(highest_price_eur) as highest_price_eur
    from decided
    where not is_external(policy)
    group by business_date, sku
)

select
    shown.business_date,
    shown.sku,
    shown.lowest_price_eur,
    shown.highest_price_eur
from shown
inner join products on shown.sku = products.sku
where shown.lowest_price_eur < products.floor_price or shown.highest_price_eur > products.ceiling_price;
