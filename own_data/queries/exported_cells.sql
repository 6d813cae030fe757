-- One row per product, store, business date, hour and price that somebody else set, where there was stock. Of visits
-- it counts those that saw the price, and their purchases; the hour is local, and null as for sales of whole days. Of
-- unit sales n_offered is the exposure: shoppers in the store where all rows of the product know them, else days.
-- Prices of one time share its exposure as they share its units, so that they tell nothing by themselves. Days on
-- which nothing was sold where much usually is are left out: the shelf may have been empty. So are prices that we drew:
-- they are no log's.
with by_hour as (
    select
        decisions.sku,
        decisions.store_id,
        decisions.business_date,
        hour(decisions.seen_at at time zone coalesce(stores.time_zone, 'UTC'))::tinyint as hour,
        decisions.price_offered,
        count(*)::double as n_offered,
        (count(*) filter (where decisions.purchased))::double as n_purchased
    from decisions_with_stock as decisions
    left join stores on decisions.store_id = stores.store_id
    where is_external(decisions.policy) and decisions.business_date <= $through
    group by decisions.sku, decisions.store_id, decisions.business_date, hour, decisions.price_offered
),

by_hour_where_prices_change as (
    select
        sku,
        store_id,
        business_date,
        price_offered,
        n_offered,
        n_purchased,
        case
            when
                min(price_offered) over (partition by sku, store_id, business_date)
                < max(price_offered) over (partition by sku, store_id, business_date)
                then hour
        end as hour
    from by_hour
),

visits as (
    select
        sku,
        store_id,
        business_date,
        hour,
        price_offered,
        sum(n_offered) as n_offered,
        sum(n_purchased) as n_purchased,
        false as is_count
    from by_hour_where_prices_change
    group by sku, store_id, business_date, hour, price_offered
),

sales as (
    select
        sku,
        store_id,
        business_date,
        hour,
        price as price_offered,
        units,
        traffic,
        bool_and(traffic is not null) over (partition by sku) as knows_traffic,
        sum(units) over (partition by sku, store_id, business_date, hour) as units_of_time,
        count(*) over (partition by sku, store_id, business_date, hour) as prices_of_time
    from unit_sales
    where
        business_date <= $through
        and stock is distinct from 0
        and not is_sudden_zero
        and not exists (
            select 1
            from exposures
            where
                exposures.propensity is not null
                and exposures.store_id = unit_sales.store_id
                and exposures.sku = unit_sales.sku
                and exposures.business_date = unit_sales.business_date
        )
),

counts as (
    select
        sku,
        store_id,
        business_date,
        hour,
        price_offered,
        case
            when knows_traffic then traffic
            when hour is null then 1.0
            else 1.0 / 24
        end * if(units_of_time > 0, units / units_of_time, 1.0 / prices_of_time) as n_offered,
        units as n_purchased,
        true as is_count
    from sales
),

beside_prices as (
    select
        sku,
        store_id,
        business_date,
        bool_or(promotion) as promotion,
        bool_or(display) as display,
        bool_or(leaflet) as leaflet,
        max(event) as event,
        max(regular_price) as regular_price
    from promotions
    where business_date <= $through
    group by sku, store_id, business_date
),

observed as (
    select * from visits
    union all by name
    select * from counts
)

select
    observed.sku,
    observed.store_id,
    observed.business_date,
    observed.hour,
    observed.price_offered,
    observed.n_offered,
    observed.n_purchased,
    observed.is_count,
    case
        when
            beside_prices.promotion
            or beside_prices.display
            or beside_prices.leaflet
            or beside_prices.event <> ''
            or observed.price_offered < 0.98 * beside_prices.regular_price
            then true
        when
            beside_prices.promotion is not null
            or beside_prices.display is not null
            or beside_prices.leaflet is not null
            or beside_prices.event is not null
            or beside_prices.regular_price is not null
            then false
    end as is_promotion
from observed
left join beside_prices
    on
        observed.sku = beside_prices.sku
        and observed.store_id = beside_prices.store_id
        and observed.business_date = beside_prices.business_date
where observed.n_offered > 0
order by
    observed.sku, observed.store_id, observed.business_date, observed.hour, observed.price_offered;
