-- Units of an average week of each product in a store, over the dates that are shown.
select
    sku,
    7.0 * sum(units) / count(distinct (store_id, business_date)) as units
from unit_sales
group by sku
