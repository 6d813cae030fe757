-- One row per distinct feature vector of the decisions of one partition. An empty shelf says nothing about
-- demand and is left out; a stock that nobody knows is kept as null.
with cells as (
    select
        sku,
        price_offered,
        inventory_level,
        count(*) as n_offered,
        count(*) filter (where purchased) as n_purchased
    from read_parquet($decisions)
    where inventory_level is distinct from 0
    group by sku, price_offered, inventory_level
)

select
    sku,
    price_offered,
    price_ratio,
    inventory_level,
    n_offered,
    n_purchased
from with_price_ratio(cells)
order by sku, price_offered, inventory_level;
