-- One row per candidate price in the order of the candidates, as `candidate_input`, with the category of the product.
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
        given.*,
        category_one_hot.* exclude (sku)
    from with_price_ratio(candidates) as given
    inner join category_one_hot on given.sku = category_one_hot.sku
)

select
    row_number,
    sku::shelf_sku as sku,
    price_offered,
    inventory_level,
    columns('^(price_ratio|category_.*)$')
from with_ratio
order by row_number;
