-- Decisions at prices that somebody else set, by store, week and price. Weeks are counted from a Monday.
select
    sku,
    store_id,
    (business_date - date '1970-01-05') // 7 as week_number,
    price_offered,
    count(*) as n_offered,
    count(*) filter (where purchased) as n_purchased
from closed_interactions
where policy = 'external' and business_date <= $through and inventory_level is distinct from 0
group by sku, store_id, week_number, price_offered
order by sku, store_id, week_number, price_offered;
