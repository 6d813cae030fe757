-- One row per store, product and date of some stores and products: its opening price, from a date through another.
select
    store_id,
    sku,
    business_date,
    new_price
from repricings
where
    tick = 0
    and business_date between $first and $last
    and list_contains($stores, store_id)
    and list_contains($skus, sku)
order by business_date;
