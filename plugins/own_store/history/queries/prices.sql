-- How often each price of a product was seen. A price of visits counts once for each visit, and one of sales once for
-- each store day that it was seen on, however much it sold: otherwise an offer that sells much would pass for the usual
-- price.
create or replace table prices as
with by_day as (
    select
        product,
        price_offered,
        store,
        date,
        count(*) as count_rows
    from staged
    group by all
),

by_price as (
    select
        product,
        price_offered,
        sum(count_rows)::double as count_rows,
        case when $is_sales then count(*) else sum(count_rows) end::double as count_seen
    from by_day
    group by product, price_offered
)

select
    product,
    price_offered,
    count_rows,
    count_seen,
    count_rows / sum(count_rows) over (partition by product) as share
from by_price;
