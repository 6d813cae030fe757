-- One row per candidate price: its model input, the same features as in training, in the order of the candidates.
with candidates as (
    select
        row_number,
        sku,
        price_offered,
        inventory_level
    from shelf_candidates
),

with_ratio as (
    select
        row_number,
        sku,
        price_offered,
        inventory_level,
        price_ratio
    from with_price_ratio(candidates)
)

select
    row_number,
    sku::shelf_sku as sku,
    price_offered,
    inventory_level,
    price_ratio
from with_ratio
order by row_number;
