-- One row per product and days on which units may still be sold, today included (null is for ever), of which a store
-- opened a date with units. Before the date is closed, those are the units that were kept the day before; new ones are
-- not known yet.
with opened as (
    select
        sku,
        expires_on,
        units_carried + units_delivered as count_units
    from stock_movements
    where business_date = $date and store_id = $store
),

kept as (
    select
        sku,
        expires_on,
        units_kept as count_units
    from stock_movements
    where
        business_date = ($date - interval 1 day)::date
        and store_id = $store
        and not exists (from stock_movements where business_date = $date and store_id = $store)
),

units as (
    select * from opened
    union all
    select * from kept
)

select
    sku,
    (expires_on - $date + 1)::integer as days_left,
    sum(count_units)::bigint as count_units
from units
where count_units > 0
group by sku, expires_on
order by sku, expires_on nulls last;
