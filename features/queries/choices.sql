-- One row per choice before shoppers who found a product too dear or sold out, over some days, and what they took.
select
    sku,
    others,
    prices,
    taken,
    sum(count_shoppers)::bigint as count_shoppers
from substitute_choices
where business_date between $first and $last
group by sku, others, prices, taken
order by sku, others, prices, taken;
