-- One row per product, store, week and price that somebody else set, for decisions that met stock. Weeks are counted
-- from a Monday.
select
    sku,
    store_id,
    (business_date - date '1970-01-05') // 7 as week_number,
    price_offered,
    count(*) as n_offered,
    count(*) filter (where purchased) as n_purchased
from decisions_with_stock
where is_external(policy) and business_date <= $through
group by sku, store_id, week_number, price_offered
order by sku, store_id, week_number, price_offered;
