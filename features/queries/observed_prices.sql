-- The lowest and the highest price that each product was really offered at over some days.
select
    sku,
    min(price_offered) as lowest_price,
    max(price_offered) as highest_price
from demand_cells
where business_date between $first and $through
group by sku;
