-- Units of each product in a store on each date that is shown.
select
    sku,
    store_id,
    business_date,
    sum(units) as units
from unit_sales
group by all
