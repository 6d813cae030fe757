-- One row per distinct feature vector of some days, by the context of the store day (`context`, a number that the
-- relation `contexts_of_days` gives each) and, where `period` tells days apart, by period.
with by_clock as (
    select
        contexts_of_days.period,
        contexts_of_days.context,
        sold.business_date,
        sold.hour_utc,
        sold.time_zone,
        sold.hour_told,
        sold.sku,
        sold.price_offered,
        sum(sold.n_offered)::bigint as n_offered,
        sum(sold.n_purchased)::bigint as n_purchased
    from sold_in_context as sold
    inner join contexts_of_days
        on sold.business_date = contexts_of_days.business_date and sold.store_id = contexts_of_days.store_id
    group by all
),

cells as (
    select
        period,
        context,
        coalesce(hour_told, hour_on_clock(business_date, hour_utc, time_zone)) as hour,
        sku,
        price_offered,
        sum(n_offered)::bigint as n_offered,
        sum(n_purchased)::bigint as n_purchased
    from by_clock
    group by all
),

with_ratio as (
    select
        cells.*,
        products.par_stock as inventory_level,
        category_one_hot.* exclude (sku)
    from with_price_ratio(cells) as cells
    inner join products on cells.sku = products.sku
    inner join category_one_hot on cells.sku = category_one_hot.sku
)

select * replace (sku::shelf_sku as sku) -- noqa: AM04
from with_ratio
order by period, context, hour, sku, price_offered;
