-- One row per store and product: the price shown last on a date.
select
    store_id,
    sku,
    arg_max(new_price, tick) as price_eur
from repricings
where business_date = $date
group by store_id, sku
order by store_id, sku;
