-- One row per store, hour, product and price of the decisions of one partition (the view `sold`).
with decisions as (
    select
        store_id,
        seen_at,
        sku,
        price_offered,
        sticker_eur,
        inventory_level,
        purchased,
        policy
    from sold
)

select
    store_id,
    hour_utc,
    sku,
    price_offered,
    is_external,
    count_met,
    count_bought
from count_in_context(decisions)
order by store_id, hour_utc, sku, price_offered, is_external;
