-- Model input of candidate prices: the same features as in training, in the order of the candidates.
with candidates as (
    select
        row_number,
        sku,
        price_offered,
        inventory_level
    from shelf_candidates
),

with_ratio as (
    select * from with_price_ratio(candidates)
)

select * from model_input(with_ratio)
order by row_number;
