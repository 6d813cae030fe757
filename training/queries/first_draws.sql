-- The first draw of each product in each store, and the owner's price that it was around.
select
    store_id,
    sku,
    min(business_date) as drawn_from,
    arg_min(shelf_price, business_date) as shelf_price
from price_draws
where business_date <= $through
group by store_id, sku
