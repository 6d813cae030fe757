-- One row per product: the lowest and the highest price that it was really offered at over some days.
select
    sku,
    min(price_offered) as lowest_price_eur,
    max(price_offered) as highest_price_eur
from demand_cells
where business_date between $first and $through
group by sku;
