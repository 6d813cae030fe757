-- One row per product: what was seen of it. A store-week counts where the price moved by more than one per cent within
-- its four weeks; a cluster is a store in a quarter of a year (13 weeks). Days of a week are bits of a number, so that
-- nothing as large as the file is kept.
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

weeks as (
    select
        sku,
        store_id,
        (business_date - date '1970-01-05') // 7 as week,
        bit_count(bit_or(1 << (business_date - date '1970-01-05') % 7)) as count_days,
        min(price) as lowest,
        max(price) as highest
    from seen
    group by sku, store_id, week
),

periods as (
    select
        sku,
        sum(count_days) as count_store_days,
        count(*) as count_weeks,
        max(highest) > 1.01 * min(lowest) as has_moved
    from weeks
    group by sku, store_id, week // 4
),

by_store as (
    select
        sku,
        sum(count_store_days)::bigint as count_store_days,
        coalesce(sum(count_weeks) filter (where has_moved), 0)::bigint as count_store_weeks
    from periods
    group by sku
),

clusters as (
    select
        sku,
        count(distinct row(store_id, week // 13)) as count_clusters
    from weeks
    group by sku
),

days as (
    select
        sku,
        count(distinct business_date) as count_days
    from seen
    group by sku
)

select
    by_price.sku,
    days.count_days,
    by_store.count_store_days,
    by_price.count_seen,
    by_price.count_bought,
    by_price.count_prices,
    by_price.lowest_price_eur,
    by_price.commonest_price_eur,
    by_price.highest_price_eur,
    by_price.commonest_share,
    by_price.median_price_eur,
    clusters.count_clusters,
    by_store.count_store_weeks
from by_price
inner join by_store on by_price.sku = by_store.sku
inner join clusters on by_price.sku = clusters.sku
inner join days on by_price.sku = days.sku
order by by_price.sku;
