-- One row per product and hour, null for whole days: the chances to sell a unit that stand behind its sales.
select
    sku,
    hour,
    sum(chances)::double as count_chances
from unit_sales
where business_date between $first and $last
group by sku, hour;
