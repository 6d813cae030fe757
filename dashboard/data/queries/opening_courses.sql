-- One row per store, product and date: its opening price, from a date through another.
select
    store_id,
    sku,
    business_date,
    new_price
from repricings
where tick = 0 and business_date between $first and $last;
