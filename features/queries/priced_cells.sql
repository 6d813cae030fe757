-- One row per demand cell of the view `tallied`, with its price ratio.
select
    sku,
    price_offered,
    price_ratio,
    inventory_level,
    n_offered,
    n_purchased
from with_price_ratio(tallied)
order by sku, price_offered, inventory_level;
