-- The lowest and the highest price that each product was really offered at, up to a date.
select
    sku,
    min(price_offered) as lowest_price,
    max(price_offered) as highest_price
from demand_cells
where business_date <= $through
group by sku;
