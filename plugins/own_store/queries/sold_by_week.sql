-- One row per product, store and week: units sold at prices that somebody else set, the days they were sold on and the
-- mean log price of those days. A day on offer, without stock, without a sale where much usually sells, or at a price
-- that was drawn here, is left out. A purchase of a visit counts as one unit.
with sold as (
    select
        sku,
        store_id,
        business_date,
        ln(price_offered) as log_price,
        purchased::double as units
    from decisions_with_stock
    where is_external(policy) and business_date <= $through and price_offered > 0
    union all
    select
        sku,
        store_id,
        business_date,
        ln(price) as log_price,
        units
    from unit_sales
    where business_date <= $through and price > 0 and stock is distinct from 0 and not is_sudden_zero
),

by_day as (
    select
        sku,
        store_id,
        business_date,
        avg(log_price) as log_price,
        avg(exp(log_price)) as price,
        sum(units) as units
    from sold
    group by sku, store_id, business_date
),

offers as (
    select
        sku,
        store_id,
        business_date,
        bool_or(promotion or display or leaflet or event <> '') as said,
        max(regular_price) as regular_price
    from promotions
    where business_date <= $through
    group by sku, store_id, business_date
)

select
    by_day.sku,
    by_day.store_id,
    date_trunc('week', by_day.business_date) as week,
    sum(by_day.units) as units,
    count(*)::double as days,
    avg(by_day.log_price) as log_price
from by_day
left join offers
    on
        by_day.sku = offers.sku
        and by_day.store_id = offers.store_id
        and by_day.business_date = offers.business_date
where
    not exists (
        select 1
        from exposures
        where
            exposures.propensity is not null
            and exposures.sku = by_day.sku
            and exposures.store_id = by_day.store_id
            and exposures.business_date = by_day.business_date
    )
    and not coalesce(offers.said, false)
    and not coalesce(by_day.price < 0.98 * offers.regular_price, false)
group by by_day.sku, by_day.store_id, week
order by by_day.sku, by_day.store_id, week;
