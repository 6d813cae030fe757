-- One row per business date of a span on which a fresh price of a rival was known: our price level, the geometric mean
-- over products of our price over the mean of the rivals', and how many products it compares.
with compared as (
    select
        business_date,
        sku,
        avg(ln(price_index)) as log_index
    from price_index
    where business_date between $first and $last and price_index is not null
    group by business_date, sku
)

select
    business_date,
    exp(avg(log_index)) as price_level,
    count(*) as count_products
from compared
group by business_date
order by business_date asc;
