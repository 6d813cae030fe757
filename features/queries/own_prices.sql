-- The lowest and the highest price that each product was offered at by a policy of ours, over some days.
select
    sku,
    min(price_offered) as lowest_price,
    max(price_offered) as highest_price
from closed_interactions
where policy <> 'external' and business_date between $first and $through and inventory_level is distinct from 0
group by sku;
