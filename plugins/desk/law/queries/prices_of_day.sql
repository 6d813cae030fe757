-- What decisions of one business date say of each product in a store, by its place among them: the price shown last,
-- and the middle price by how long each stood. Tried prices, and those of an empty shelf, are no middle one.
with stood as (
    select
        place,
        new_price,
        tick,
        not explored and inventory_level > 0 as counts,
        coalesce(
            lead(tick) over (partition by place order by tick), greatest($n_ticks, 1 + max(tick) over ())
        ) - tick as count_ticks
    from decisions
),

weighed as (
    select
        *,
        sum(count_ticks) filter (where counts) over (partition by place order by new_price) as count_through,
        sum(count_ticks) filter (where counts) over (partition by place) as count_all
    from stood
)

select
    place,
    arg_max(new_price, tick) as last_price,
    min(new_price) filter (where counts and 2 * count_through >= count_all) as middle_price
from weighed
group by place
