-- One row per business date from a date through another on which a store sold a product, the newest first.
select
    business_date,
    mean_price_eur,
    count_units,
    count_sold_out_visits
from daily_sales
where
    store_id = $store
    and sku = $sku
    and business_date between $first and $last
order by business_date desc;
