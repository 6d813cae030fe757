-- One row per product: what was seen of it.
with prices as (
    select
        sku,
        price,
        count(*) as count_seen,
        sum(count_bought) as count_bought
    from seen
    group by sku, price
),

cumulated as (
    select
        sku,
        price,
        count_seen,
        count_bought,
        sum(count_seen) over (partition by sku order by price) as count_up_to,
        sum(count_seen) over (partition by sku) as count_all
    from prices
),

by_price as (
    select
        sku,
        sum(count_seen)::bigint as count_seen,
        sum(count_bought) as count_bought,
        count(*)::bigint as count_prices,
        min(price) as lowest_price_eur,
        arg_max(price, count_seen) as commonest_price_eur,
        max(price) as highest_price_eur,
        max(count_seen) / sum(count_seen) as commonest_share,
        min(price) filter (where 2 * count_up_to >= count_all) as median_price_eur
    from cumulated
    group by sku
),

days as (
    select
        sku,
        count(distinct business_date) as count_days,
        count(distinct row(store_id, business_date)) as count_store_days
    from seen
    group by sku
)

select
    by_price.sku,
    days.count_days as days,
    days.count_store_days as store_days,
    by_price.count_seen as decisions,
    by_price.count_bought as purchases,
    by_price.count_prices as prices,
    by_price.lowest_price_eur as lowest,
    by_price.commonest_price_eur as commonest,
    by_price.highest_price_eur as highest,
    by_price.commonest_share,
    by_price.median_price_eur as median
from by_price
inner join days on by_price.sku = days.sku
order by by_price.sku;
