-- What sold at each price that was drawn, over the days for which the draw stood: one row for a store, product and draw.
with draws as (
    select
        business_date as first_date,
        lead(business_date) over (order by business_date) as next_date
    from (select distinct business_date from price_draws)
)

select
    d.business_date as first_date,
    d.through,
    d.store_id,
    d.sku,
    d.price,
    d.shelf_price,
    d.low_price,
    d.high_price,
    d.is_held,
    d.design,
    d.propensity,
    count(distinct e.business_date) as days,
    coalesce(sum(e.units), 0) as units,
    coalesce(sum(coalesce(e.stocked_minutes, e.open_minutes)), 0) as minutes
from price_draws as d
inner join draws as s on d.business_date = s.first_date
inner join exposures as e
    on
        d.store_id = e.store_id
        and d.sku = e.sku
        and e.business_date >= s.first_date
        and e.business_date < coalesce(s.next_date, $through + interval 1 day)
        and e.business_date <= $through
        and e.not_ours is null
        and abs(e.charged_price - d.price) < $same
group by all
order by first_date, d.store_id, d.sku
