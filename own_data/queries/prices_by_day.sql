-- One row per store, product and business date: the regular price that stood last on that day, as a retailer's log
-- shows it. is_offer is null where the log says nothing of offers. What an offer leaves is the regular price where the
-- log names it. A day without a sale that stands for two prices says neither.
with prices as (
    select
        store_id,
        sku,
        business_date,
        price,
        coalesce(hour, -1)::double as moment,
        units,
        units > 0 or count(*) over (partition by store_id, sku, business_date) = 1 as is_known
    from unit_sales
    union all
    select
        store_id,
        sku,
        business_date,
        price_offered as price,
        epoch(seen_at) as moment,
        0 as units,
        true as is_known
    from interactions
),

days as (
    select
        store_id,
        sku,
        business_date,
        arg_max(price, row(moment, units, price)) as price
    from prices
    where is_known
    group by store_id, sku, business_date
),

beside_prices as (
    select
        store_id,
        sku,
        business_date,
        bool_or(promotion) as promotion,
        bool_or(leaflet) as leaflet,
        max(regular_price) as regular_price
    from promotions
    group by store_id, sku, business_date
),

said as (
    select
        days.store_id,
        days.sku,
        days.business_date,
        days.price,
        beside_prices.regular_price,
        case
            when
                beside_prices.promotion
                or beside_prices.leaflet
                or days.price < 0.98 * beside_prices.regular_price
                then true
            when
                beside_prices.promotion is not null
                or beside_prices.leaflet is not null
                or beside_prices.regular_price is not null
                then false
        end as is_offer
    from days
    left join beside_prices
        on
            days.store_id = beside_prices.store_id
            and days.sku = beside_prices.sku
            and days.business_date = beside_prices.business_date
)

select
    store_id,
    sku,
    business_date,
    if(is_offer and regular_price is not null, regular_price, price) as price,
    if(regular_price is not null, false, is_offer) as is_offer
from said
order by sku, store_id, business_date;
