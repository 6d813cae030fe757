-- What sold at each drawn price over the days for which its draw stood: one row for a store, product and draw. A row
-- that holds the owner's price while prices change hourly is no draw.
with dates as (
    select distinct business_date from price_draws
),

draws as (
    select
        business_date as first_date,
        lead(business_date) over (order by business_date) as next_date
    from dates
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
    coalesce(d.held_share, 0) as held_share,
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
        and s.first_date <= e.business_date
        and coalesce(s.next_date, $through + interval 1 day) > e.business_date
        and abs(d.price - e.charged_price) < $same
where e.business_date <= $through and e.not_ours is null and d.design <> 'hourly'
group by all
order by first_date, d.store_id, d.sku
