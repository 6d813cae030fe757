-- What decisions of one business date say of each product in each store: the price shown last, and the middle price by
-- how long each stood. Prices that exploration tried, and those of an empty shelf, are no middle price.
with stood as (
    select
        store_id,
        sku,
        new_price,
        tick,
        not explored and inventory_level > 0 as counts,
        coalesce(
            lead(tick) over (partition by store_id, sku order by tick), greatest($n_ticks, 1 + max(tick) over ())
        ) - tick as count_ticks
    from decisions
),

weighed as (
    select
        *,
        sum(count_ticks) filter (where counts) over (partition by store_id, sku order by new_price) as count_through,
        sum(count_ticks) filter (where counts) over (partition by store_id, sku) as count_all
    from stood
)

select
    store_id,
    sku,
    arg_max(new_price, tick) as last_price,
    min(new_price) filter (where counts and 2 * count_through >= count_all) as middle_price
from weighed
group by store_id, sku
