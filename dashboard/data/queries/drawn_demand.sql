-- One row per price that stood for one product in one outside store in a span of days, by the date on which it was
-- drawn: days on which it stood, as shares of open days, and units. Beside it what the draw expected.
with stood as (
    select
        business_date,
        price,
        sum(units) as units,
        sum(open_minutes) as minutes
    from exposures
    where store_id = $store and sku = $sku and not_ours is null and business_date between $first and $last
    group by business_date, price
),

days as (
    select
        business_date,
        price,
        units,
        minutes / sum(minutes) over (partition by business_date) as days
    from stood
)

select
    price,
    sum(days) as days,
    sum(units) as units
from days
where days > 0
group by price
order by price;
