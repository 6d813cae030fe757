-- Units of an average week of each product in a store, over the dates that are shown.
with store_days as (
    select
        sku,
        store_id,
        business_date,
        sum(units) as units
    from unit_sales
    group by all
)

select
    sku,
    7.0 * avg(units) as units
from store_days
group by sku
