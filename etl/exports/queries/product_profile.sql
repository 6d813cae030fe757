-- One row per product: what some store days tell about it. A store-week counts where the price moved by more than one
-- per cent within its four weeks; a cluster is a store in a quarter of a year (13 weeks).
with prices as (
    select
        sku,
        price,
        sum(count_seen) as count_seen,
        sum(count_bought) as count_bought
    from store_days
    group by sku, price
),

dated as (
    select
        sku,
        store_id,
        business_date,
        price,
        (business_date - date '1970-01-05') // 7 as week
    from store_days
),

days as (
    select
        sku,
        count(distinct business_date) as count_days,
        count(distinct row(store_id, business_date)) as count_store_days,
        count(distinct row(store_id, week // 13)) as count_clusters
    from dated
    group by sku
),

periods as (
    select
        sku,
        store_id,
        week // 4 as period,
        count(distinct week) as count_weeks,
        max(price) > 1.01 * min(price) as has_moved
    from dated
    group by sku, store_id, period
),

moved as (
    select
        sku,
        sum(count_weeks) filter (where has_moved) as count_store_weeks
    from periods
    group by sku
)

select
    prices.sku,
    any_value(days.count_days)::bigint as count_days,
    any_value(days.count_store_days)::bigint as count_store_days,
    sum(prices.count_seen)::bigint as count_seen,
    sum(prices.count_bought) as count_bought,
    count(*)::bigint as count_prices,
    min(prices.price) as lowest_price_eur,
    arg_max(prices.price, prices.count_seen) as commonest_price_eur,
    max(prices.price) as highest_price_eur,
    max(prices.count_seen) / sum(prices.count_seen) as commonest_share,
    any_value(days.count_clusters)::bigint as count_clusters,
    coalesce(any_value(moved.count_store_weeks), 0)::bigint as count_store_weeks
from prices
inner join days on prices.sku = days.sku
inner join moved on prices.sku = moved.sku
group by prices.sku
order by prices.sku;
