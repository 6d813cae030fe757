-- One row per business date from a date through another: the price with which a store opened with a product.
select
    business_date,
    new_price as price_eur
from repricings
where store_id = $store and sku = $sku and tick = 0 and business_date between $first and $last
order by business_date;
