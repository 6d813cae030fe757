-- One row per product and price of one partition of unit sales (the view `sold`), over the store days, or hours, that
-- had stock: a unit sold is a purchase out of many chances. Stock is that of a day's start, not of a decision, so it is
-- left out. A sudden zero may have been an empty shelf, and says nothing about demand. In `sold`, products are
-- positions among $skus.
with sales as (
    select
        sku,
        price as price_offered,
        units,
        chances
    from sold
    where stock is distinct from 0 and not is_sudden_zero and chances > 0
),

cells as (
    select
        sku,
        price_offered,
        null::integer as inventory_level,
        sum(chances)::bigint as n_offered,
        sum(round(units))::bigint as n_purchased
    from sales
    group by sku, price_offered
),

named as (
    select
        $skus[sku + 1] as sku,
        price_offered,
        inventory_level,
        n_offered,
        n_purchased
    from cells
)

select
    sku,
    price_offered,
    price_ratio,
    inventory_level,
    n_offered,
    n_purchased
from with_price_ratio(named)
order by sku, price_offered;
