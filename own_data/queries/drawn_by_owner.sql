-- One row per product, store, business date and price of the days between the first and the last price that a file says
-- was drawn, with the units that sold there. A day without a declared price has a null propensity.
with declared as (
    select
        sku,
        store_id,
        business_date,
        max(propensity) as propensity,
        max(nullif(unit, '')) as unit,
        max(nullif(block, '')) as block
    from promotions
    where propensity is not null and business_date <= $through
    group by sku, store_id, business_date
),

spans as (
    select
        sku,
        store_id,
        min(business_date) as first_date,
        max(business_date) as last_date
    from declared
    group by sku, store_id
),

counted as (
    select
        sku,
        store_id,
        business_date,
        price,
        units
    from unit_sales
    where stock is distinct from 0
    union all
    select
        sku,
        store_id,
        business_date,
        price_offered as price,
        purchased::double as units
    from decisions_with_stock
    where is_external(policy)
)

select
    counted.sku,
    counted.store_id,
    counted.business_date,
    counted.price,
    sum(counted.units) as units,
    any_value(declared.propensity) as propensity,
    any_value(declared.unit) as unit,
    any_value(declared.block) as block
from counted
inner join spans
    on
        counted.sku = spans.sku
        and counted.store_id = spans.store_id
        and counted.business_date between spans.first_date and spans.last_date
left join declared
    on
        counted.sku = declared.sku
        and counted.store_id = declared.store_id
        and counted.business_date = declared.business_date
group by counted.sku, counted.store_id, counted.business_date, counted.price
order by counted.sku, counted.store_id, counted.business_date, counted.price;
