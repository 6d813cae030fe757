-- One row per product of which a store opened a date with units that may be sold on it for the last time. Before the
-- date is closed, those are the units that were kept the day before; new ones are not known yet.
with opened as (
    select
        sku,
        units_carried + units_delivered as count_units
    from stock_movements
    where business_date = $date and store_id = $store and expires_on = $date
),

kept as (
    select
        sku,
        units_kept as count_units
    from stock_movements
    where
        business_date = ($date - interval 1 day)::date
        and store_id = $store
        and expires_on = $date
        and not exists (from stock_movements where business_date = $date and store_id = $store)
),

units as (
    select * from opened
    union all
    select * from kept
)

select
    sku,
    sum(count_units)::bigint as count_units
from units
where count_units > 0
group by sku
order by sku;
