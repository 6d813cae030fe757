-- One row per planned experiment, product and side of its coin: what the draws expected of the store days on which that
-- side stood, and what sold. The alternative is the owner's price, as the draws expected it to sell.
create or replace view experiment_effects as
with dates as (
    select distinct business_date from price_draws
),

turns as (
    select
        business_date as drawn_on,
        lead(business_date) over (order by business_date) as next_drawn_on
    from dates
),

thrown as (
    select
        planned.number,
        planned.asked_by,
        coalesce(planned.withdrawn_from, planned.through + 1) as ends_on,
        turns.drawn_on,
        turns.next_drawn_on,
        draws.store_id,
        draws.sku,
        draws.price,
        draws.shelf_price,
        draws.expected_units / (draws.through - draws.business_date + 1) as otherwise_a_day,
        case when draws.price = draws.low_price then 'low' else 'high' end as side,
        (draws.price / draws.shelf_price) ** draws.response as factor
    from price_draws as draws
    inner join turns on draws.business_date = turns.drawn_on
    inner join experiments as planned
        on
            draws.business_date between planned.starts and planned.through
            and coalesce(draws.business_date < planned.withdrawn_from, true)
            and list_contains(planned.products, draws.sku)
    where draws.low_price is not null and not draws.is_held and not coalesce(draws.is_on_the_way, false)
),

stood as (
    select
        thrown.number,
        thrown.asked_by,
        thrown.ends_on,
        thrown.drawn_on,
        thrown.sku,
        thrown.side,
        thrown.price,
        thrown.shelf_price,
        thrown.price - products.unit_cost as margin,
        thrown.shelf_price - products.unit_cost as otherwise_margin,
        thrown.otherwise_a_day,
        thrown.otherwise_a_day * thrown.factor as expected_a_day,
        count(distinct sold.business_date) as days,
        sum(sold.units) as units
    from thrown
    inner join exposures as sold
        on
            thrown.store_id = sold.store_id
            and thrown.sku = sold.sku
            and thrown.drawn_on <= sold.business_date
            and thrown.ends_on > sold.business_date
            and coalesce(thrown.next_drawn_on > sold.business_date, true)
            and abs(thrown.price - sold.charged_price) < 0.004
    left join products on thrown.sku = products.sku
    where sold.not_ours is null
    group by all
),

told as (
    select
        *,
        days * otherwise_a_day as otherwise_units,
        days * expected_a_day as expected_units
    from stood
)

select
    'experiment ' || number || ' ' || sku || ' ' || side as change,
    'experiment' as kind,
    case when (select max(business_date) from exposures) < ends_on - 1 then 'in_force' else 'expired' end as state,
    sku,
    null::varchar as store_id,
    asked_by,
    asked_by as approved_by,
    timezone('UTC', min(drawn_on)::timestamp) as holds_from,
    timezone('UTC', ends_on::timestamp) as holds_until,
    sum(days * price) / sum(days) as price_eur,
    sum(days * shelf_price) / sum(days) as otherwise_price_eur,
    sum(expected_units) / sum(days) as expected_units_a_store_day,
    sum(expected_units * price) / sum(days) as expected_revenue_a_store_day_eur,
    sum(expected_units * margin) / sum(days) as expected_profit_a_store_day_eur,
    sum(expected_units * margin - otherwise_units * otherwise_margin) / sum(days) as expected_gain_a_store_day_eur,
    sum(days)::bigint as count_store_days,
    null::bigint as count_visits,
    sum(units)::bigint as count_units,
    sum(units * price) as revenue_eur,
    sum(units * margin) as profit_eur,
    sum(expected_units) as expected_units,
    sum(expected_units * margin) as expected_profit_eur,
    sum(otherwise_units) as otherwise_units,
    sum(otherwise_units * shelf_price) as otherwise_revenue_eur,
    sum(otherwise_units * otherwise_margin) as otherwise_profit_eur,
    sum(units * margin - otherwise_units * otherwise_margin) as gained_eur,
    sqrt(count(*)) * stddev_samp((units - expected_units) * margin) as standard_error_eur
from told
group by number, asked_by, ends_on, sku, side;

comment on view experiment_effects is
'one planned experiment, product and side of its coin: what was predicted, and what came of it; columns as in '
'price_effects';
