-- One row per product, tick and price of the decisions of one partition (the view `sold`), at our own prices or
-- somebody else's. The business date is the name of the partition's folder.
with decisions as (
    select
        sku,
        tick,
        price_offered,
        sticker_eur,
        inventory_level,
        purchased,
        policy
    from sold
)

select
    sku,
    tick,
    price_offered,
    is_external,
    count_visits,
    count_met,
    count_bought
from count_visits(decisions)
order by sku, tick, price_offered, is_external;
