-- One row per distinct feature vector of the decisions of one partition (the view `sold`) that met the product in
-- stock. A stock that nobody knows is kept as null. What an outside store sold at prices that were not ours is left
-- out: no model learns from it. A shopper before a sticker buys something if she can pay that, so it is her price. In
-- `sold`, products are positions among $skus.
with decisions as (
    select
        sku,
        coalesce(sticker_eur, price_offered) as price_offered,
        inventory_level,
        purchased
    from sold
    where policy <> 'owner'
),

cells as (
    select
        sku,
        price_offered,
        inventory_level,
        count(*) as n_offered,
        count(*) filter (where purchased) as n_purchased
    from with_stock(decisions)
    group by sku, price_offered, inventory_level
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
order by sku, price_offered, inventory_level;
