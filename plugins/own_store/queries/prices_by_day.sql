-- One row per store, product and business date: the regular price that stood last on that day, as a retailer's log
-- shows it. is_offer is null where the log says nothing of offers. What an offer leaves is the regular price where the
-- log names it. A day without a sale that stands for two prices says neither. A drawn price says what it was drawn
-- around. is_ours: the price was sent by us on the day or the day before, such as one that a ceiling or a person gave.
with ours as (
    select
        store_id,
        sku,
        business_date,
        charged_price,
        coalesce(bool_or(not_ours = 'another price'), false) as is_new
    from exposures
    group by store_id, sku, business_date, charged_price
    having bool_or(not_ours is null)
),

prices as (
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
    said.store_id,
    said.sku,
    said.business_date,
    coalesce(
        draws.shelf_price,
        if(said.is_offer and said.regular_price is not null, said.regular_price, said.price)
    ) as price,
    if(said.regular_price is not null or draws.shelf_price is not null, false, said.is_offer) as is_offer,
    draws.shelf_price is null and exists (
        select 1
        from ours
        where
            ours.store_id = said.store_id
            and ours.sku = said.sku
            and ours.business_date between said.business_date - 1 and said.business_date
            and not (ours.is_new and ours.business_date = said.business_date)
            and abs(ours.charged_price - said.price) < $same
    ) as is_ours
from said
left join price_draws as draws
    on
        said.store_id = draws.store_id
        and said.sku = draws.sku
        and said.business_date between draws.business_date and draws.through
qualify
    row_number() over (
        partition by said.store_id, said.sku, said.business_date
        order by draws.business_date desc
    ) = 1
order by said.sku, said.store_id, said.business_date;
