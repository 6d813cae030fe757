-- One row per business date and distinct feature vector of the days after a date, so that each can be judged against
-- what was true that day.
with cells as (
    select
        business_date,
        sku,
        price_offered,
        price_ratio,
        inventory_level,
        sum(n_offered)::bigint as n_offered,
        sum(n_purchased)::bigint as n_purchased
    from demand_cells
    where
        business_date > $trained_through
        and business_date <= $judged_through
        and sku in (select products.sku from products)
    group by business_date, sku, price_offered, price_ratio, inventory_level
)

select
    business_date,
    sku::shelf_sku as sku,
    price_offered,
    price_ratio,
    inventory_level,
    n_offered,
    n_purchased
from cells
order by business_date, sku, price_offered, price_ratio, inventory_level;
