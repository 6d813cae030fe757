-- What the decisions of some parts tell about each product.
with decisions as (
    select
        sku,
        price_offered,
        purchased,
        business_date
    from read_parquet($files, hive_partitioning = true, hive_types = {'business_date': date})
),

prices as (
    select
        sku,
        price_offered,
        count(*) as n_offered,
        count(*) filter (where purchased) as n_purchased
    from decisions
    group by sku, price_offered
),

days as (
    select
        sku,
        count(distinct business_date) as count_days
    from decisions
    group by sku
)

select
    prices.sku,
    any_value(days.count_days)::bigint as count_days,
    sum(prices.n_offered)::bigint as n_offered,
    sum(prices.n_purchased)::bigint as n_purchased,
    count(*)::bigint as count_prices,
    min(prices.price_offered) as lowest_price,
    arg_max(prices.price_offered, prices.n_offered) as commonest_price,
    max(prices.price_offered) as highest_price,
    max(prices.n_offered) / sum(prices.n_offered) as commonest_share
from prices
inner join days on prices.sku = days.sku
group by prices.sku
order by prices.sku;
