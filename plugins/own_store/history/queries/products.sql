-- One row per product, with the line that it appears in first. `usual` and the ends of the range are over how often a
-- price was seen, `median` is over rows; `most` is the most units that a store sold on a day.
create or replace table products as
with words as (
    select
        product,
        min(line) as line,
        arg_min(product_name, line) as name,
        arg_min(category, line) as category,
        arg_min(brand, line) as brand,
        arg_min(tier, line) as tier,
        avg(unit_cost) as cost,
        coalesce(avg(base_price), avg(regular_price)) as base,
        max(inventory_level) as stock
    from staged
    group by product
),

cumulated as (
    select
        product,
        price_offered,
        sum(count_seen) over (partition by product order by price_offered) as seen_up_to,
        sum(count_seen) over (partition by product) as seen
    from prices
    where price_offered > 0 and price_offered < 1e6
),

ranges as (
    select
        product,
        max(seen) as visits,
        min(price_offered) filter (where seen_up_to >= 0.01 * seen) as low,
        min(price_offered) filter (where seen_up_to >= 0.5 * seen) as usual,
        min(price_offered) filter (where seen_up_to >= 0.99 * seen) as high
    from cumulated
    group by product
),

ranked as (
    select
        product,
        price_offered,
        sum(count_rows) over (partition by product order by price_offered) as rows_up_to,
        sum(count_rows) over (partition by product) as count_all
    from prices
    where price_offered is not null and not isnan(price_offered)
),

medians as (
    select
        product,
        min(price_offered) filter (where 2 * rows_up_to >= count_all) as median
    from ranked
    group by product
),

store_days as (
    select
        product,
        sum(units) as units
    from staged
    where $is_sales and abs(units) < 1e6
    group by product, store, date
),

most_sold as (
    select
        product,
        greatest(max(units), 0) as most
    from store_days
    group by product
)

select
    words.product as word,
    words.* exclude (product),
    ranges.* exclude (product),
    medians.median,
    most_sold.most
from words
left join ranges on words.product = ranges.product
left join medians on words.product = medians.product
left join most_sold on words.product = most_sold.product;
