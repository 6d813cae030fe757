-- One row per product: the lowest and the highest price that a policy of ours offered it at over some days.
select
    sku,
    min(price_offered) as lowest_price_eur,
    max(price_offered) as highest_price_eur
from visits
where not is_external and count_met > 0 and business_date between $first and $through
group by sku;
