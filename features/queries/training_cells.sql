-- One row per distinct feature vector of some days, merged over partitions.
with cells as (
    select
        sku,
        price_offered,
        price_ratio,
        inventory_level,
        sum(n_offered)::bigint as n_offered,
        sum(n_purchased)::bigint as n_purchased
    from demand_cells
    where business_date between $first and $trained_through and sku in (select products.sku from products)
    group by sku, price_offered, price_ratio, inventory_level
)

select
    sku::shelf_sku as sku,
    price_offered,
    price_ratio,
    inventory_level,
    n_offered,
    n_purchased
from cells
order by sku, price_offered, price_ratio, inventory_level;
