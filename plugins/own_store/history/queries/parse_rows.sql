-- One row per row of `block`, whose columns are text under our names: read as numbers, flags and times. Columns that
-- the file does not have are null.
-- `unread_column` is the first column of numbers that holds something else, `unread_value` what it holds.
with whole as (
    select *
    from columns_of_files
    union all by name
    select *
    from block
),

joined as (
    select
        *,
        case
            when not $has_time_of_day then seen_at
            when regexp_matches(time_of_day, '\d[-/]\d|\d\.\d+\.') then time_of_day
            else regexp_replace(seen_at, '[ T]00:00(:00(\.0+)?)?$', '') || ' ' || as_time_of_day(time_of_day)
        end as moment
    from whole
),

numbered as (
    select
        *,
        as_number(price_offered, $decimal) as price,
        as_number(base_price, $decimal) as base,
        as_number(regular_price, $decimal) as regular,
        as_number(unit_cost, $decimal) as cost,
        as_number(revenue, $decimal) as turnover,
        as_number(inventory_level, $decimal) as stock,
        as_number(budget_multiplier, $decimal) as multiplier,
        as_number(propensity, $decimal) as chance,
        case when $has_units then as_number(units, $decimal) else 1.0 end as pieces,
        as_number(traffic, $decimal) as shoppers,
        as_number(hour, $decimal) as hour_of_day,
        case
            when $time_format is null then as_local_us(moment)
            else epoch_us(try_strptime(moment, coalesce($time_format, '%Y-%m-%d')))
        end as local_us
    from joined
),

faulted as (
    select
        *,
        case
            when price is null and price_offered is not null then 'price_offered'
            when base is null and base_price is not null then 'base_price'
            when regular is null and regular_price is not null then 'regular_price'
            when cost is null and unit_cost is not null then 'unit_cost'
            when turnover is null and revenue is not null then 'revenue'
            when stock is null and inventory_level is not null then 'inventory_level'
            when multiplier is null and budget_multiplier is not null then 'budget_multiplier'
            when chance is null and propensity is not null then 'propensity'
            when pieces is null and units is not null then 'units'
            when shoppers is null and traffic is not null then 'traffic'
            when hour_of_day is null and hour is not null then 'hour'
        end as unread_column
    from numbered
)

select
    line,
    is_missing,
    case when $has_stores then store_id else 'S01' end as store,
    coalesce(sku, product_name) as product,
    product_name,
    category,
    brand,
    tier,
    case when $has_offset then null else local_us end as local_us,
    case
        when $has_offset then local_us
        when $time_format is null and local_us is null then as_moment_us(moment)
    end as exact_us,
    case
        when not $is_sales or price_offered is not null or not $has_revenue then price / $divisor
        when pieces != 0 then round_even(turnover / $divisor / pieces * $scale, 0) / $scale
    end as price_offered,
    base / $divisor as base_price,
    regular / $divisor as regular_price,
    cost / $divisor as unit_cost,
    stock as inventory_level,
    multiplier as budget_multiplier,
    chance as propensity,
    pieces as units,
    shoppers as traffic,
    hour_of_day as hour,
    receipt,
    as_shopper(shopper_id) as shopper,
    as_flag(purchased) as purchased,
    as_offer(promotion) as promotion,
    as_offer(display) as display,
    as_offer(leaflet) as leaflet,
    case when lower(event) not in ('none', 'no', 'no event', '-', '0', 'false') then event end as event,
    unread_column,
    case unread_column
        when 'price_offered' then price_offered
        when 'base_price' then base_price
        when 'regular_price' then regular_price
        when 'unit_cost' then unit_cost
        when 'revenue' then revenue
        when 'inventory_level' then inventory_level
        when 'budget_multiplier' then budget_multiplier
        when 'propensity' then propensity
        when 'units' then units
        when 'traffic' then traffic
        when 'hour' then hour
    end as unread_value
from faulted;
