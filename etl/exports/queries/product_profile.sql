-- One row per product: what the decisions of some partitions tell about it.
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
        count(*) as count_decisions,
        count(*) filter (where purchased) as count_purchases
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
    sum(prices.count_decisions)::bigint as count_decisions,
    sum(prices.count_purchases)::bigint as count_purchases,
    count(*)::bigint as count_prices,
    min(prices.price_offered) as lowest_price_eur,
    arg_max(prices.price_offered, prices.count_decisions) as commonest_price_eur,
    max(prices.price_offered) as highest_price_eur,
    max(prices.count_decisions) / sum(prices.count_decisions) as commonest_share
from prices
inner join days on prices.sku = days.sku
group by prices.sku
order by prices.sku;
