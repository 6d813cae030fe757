-- One row per bucket of prices of one product in a span of days: how often shoppers who found it in stock bought it.
-- A bucket is the candidate price that lies nearest.
with bounds as (
    select
        floor_price,
        ceiling_price
    from products
    where sku = $sku
),

bucketed as (
    select
        cells.price_offered,
        cells.n_offered,
        cells.n_purchased,
        round(
            ($candidates - 1) * (cells.price_offered - bounds.floor_price)
            / greatest(bounds.ceiling_price - bounds.floor_price, 0.01)
        ) as bucket
    from demand_cells as cells
    cross join bounds
    where cells.sku = $sku and cells.business_date between $first and $last
)

select
    sum(price_offered * n_offered) / sum(n_offered) as mean_price_eur,
    sum(n_offered)::bigint as n_offered,
    sum(n_purchased)::bigint as n_purchased
from bucketed
group by bucket
order by mean_price_eur;
