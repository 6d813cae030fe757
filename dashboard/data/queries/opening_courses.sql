-- One row per store and product: its opening prices from a date through another, the oldest first.
select
    store_id,
    sku,
    list(new_price order by business_date) as prices
from repricings
where tick = 0 and business_date between $first and $last
group by store_id, sku
order by store_id, sku;
