-- Pairs of `ours` that another file has on that date already, and whether that one says otherwise.
with both_sides as (
    select
        coalesce(ours.pair, known.pair) as pair,
        coalesce(
            abs(ours.units - known.units) <= 1e-8 + 1e-5 * abs(known.units)
            and abs(ours.returned_units - known.returned_units) <= 1e-8 + 1e-5 * abs(known.returned_units),
            false
        )
        and (
            not $has_traffic
            or coalesce(abs(ours.traffic - known.traffic) <= 1e-8 + 1e-5 * known.traffic, false)
            or (ours.traffic is null and known.traffic is null)
        )
        and (
            not $has_stock
            or coalesce(abs(ours.stock - known.stock) <= 1e-8 + 1e-5 * known.stock, false)
            or (ours.stock is null and known.stock is null)
        ) as is_same
    from ours
    full join known on ours.pair = known.pair and ours.hour = known.hour and ours.price = known.price
)

select
    pair,
    bool_and(is_same) as is_same
from both_sides
where pair in (select ours.pair from ours) and pair in (select known.pair from known)
group by pair
order by pair;
