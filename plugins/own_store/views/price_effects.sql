-- One row per price change of one product that holds or held: what was predicted when it was asked for, and what its
-- visits brought while it held. Of an approval these are all visits that found stock, since it lets the day's later
-- prices follow; of others those that met its price. What was thrown away on its store days is in the profit. Prices of
-- which nothing was predicted, and those that are their own alternative, are left out. What the alternative would have
-- brought is its forecast of then, for as many visits and no more units than there were. Each unit that it would not
-- have sold is thrown away as often as units that sold were on their last day. The difference is no proof, since no
-- draw decided who met which price. The sides of each experiment follow, product by product: what its draws expected of
-- the store days on which a side stood, and what sold. Between the two, a coin decided; the alternative is the owner's
-- price, as the draws expected it to sell.
create or replace view price_effects as
with asked as (
    select
        change,
        sku,
        arg_max(
            {
                'expected_p_sale': expected_p_sale,
                'expected_units': expected_units,
                'expected_revenue': expected_revenue,
                'expected_profit': expected_profit,
                'expected_gain': expected_gain,
                'otherwise_price': otherwise_price,
                'otherwise_p_sale': otherwise_p_sale
            },
            number
        ) as told
    from price_changes
    where sku is not null and otherwise_price <> new_price
    group by change, sku
),

held as (
    select
        changes.*,
        asked.told
    from price_changes_now as changes
    inner join asked on changes.change = asked.change
    where changes.holds_from is not null
),

visits as (
    select
        held.change,
        came.business_date,
        came.store_id,
        came.purchased,
        came.price_offered,
        came.seen_at,
        held.holds_until
    from held
    inner join interactions as came
        on
            held.sku = came.sku
            and held.store_id = came.store_id
            and held.holds_from <= came.seen_at
    where held.kind = 'price' and came.inventory_level is distinct from 0
    union all
    select
        held.change,
        came.business_date,
        came.store_id,
        came.purchased,
        came.price_offered,
        came.seen_at,
        held.holds_until
    from held
    inner join interactions as came
        on
            held.sku = came.sku
            and held.new_price_eur = came.price_offered
            and held.holds_from <= came.seen_at
    where
        held.kind <> 'price'
        and coalesce(held.store_id = came.store_id, true)
        and came.inventory_level is distinct from 0
),

by_store_day as (
    select
        change,
        business_date,
        store_id,
        count(*) as count_visits,
        count(*) filter (where purchased) as count_units,
        sum(case when purchased then price_offered else 0 end) as revenue_eur,
        var_pop(case when purchased then price_offered else 0 end) as variance
    from visits
    where coalesce(seen_at < holds_until, true)
    group by change, business_date, store_id
),

stocked as (
    select
        business_date,
        store_id,
        sku,
        sum(units_carried + units_delivered) as units_opened,
        sum(units_sold) as units_sold,
        coalesce(sum(units_carried + units_delivered) filter (where expires_on = business_date), 0) as units_last_day,
        coalesce(sum(units_sold) filter (where expires_on = business_date), 0) as units_sold_last_day,
        sum(units_spoiled) as units_spoiled,
        sum(waste_eur) as waste_eur
    from stock_movements
    group by business_date, store_id, sku
),

thrown_away as (
    select
        sku,
        sum(waste_eur) / sum(units_spoiled) as waste_of_a_unit
    from stock_movements
    where units_spoiled > 0
    group by sku
),

instead as (
    select
        by_store_day.*,
        coalesce(products.unit_cost, 0) as unit_cost,
        coalesce(stocked.waste_eur, 0) as waste_eur,
        coalesce(thrown_away.waste_of_a_unit, products.unit_cost, 0) as waste_of_a_unit,
        stocked.units_spoiled,
        stocked.units_last_day,
        coalesce(stocked.units_sold_last_day / nullif(stocked.units_sold, 0), 1) as share_last_day,
        least(
            by_store_day.count_visits * held.told.otherwise_p_sale,
            stocked.units_opened - stocked.units_sold + by_store_day.count_units
        ) as otherwise_units
    from by_store_day
    inner join held on by_store_day.change = held.change
    left join products on held.sku = products.sku
    left join stocked
        on
            by_store_day.business_date = stocked.business_date
            and by_store_day.store_id = stocked.store_id
            and held.sku = stocked.sku
    left join thrown_away on held.sku = thrown_away.sku
),

counted as (
    select
        change,
        any_value(unit_cost) as unit_cost,
        count(*) as count_store_days,
        sum(count_visits)::bigint as count_visits,
        sum(count_units)::bigint as count_units,
        sum(revenue_eur) as revenue_eur,
        sum(waste_eur) as waste_eur,
        sum(revenue_eur - count_units * unit_cost - waste_eur) as profit_eur,
        sum(otherwise_units) as otherwise_units,
        sum(
            waste_of_a_unit * coalesce(
                least(
                    units_last_day,
                    greatest(0, units_spoiled + (count_units - otherwise_units) * share_last_day)
                ),
                0
            )
        ) as otherwise_waste_eur,
        sqrt(sum(count_visits * variance)) as standard_error_eur
    from instead
    group by change
),

dates as (
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
    held.change,
    held.kind,
    held.state,
    held.sku,
    held.store_id,
    held.asked_by,
    held.approved_by,
    held.holds_from,
    held.holds_until,
    held.new_price_eur as price_eur,
    held.told.otherwise_price as otherwise_price_eur,
    held.told.expected_units as expected_units_a_store_day,
    held.told.expected_revenue as expected_revenue_a_store_day_eur,
    held.told.expected_profit as expected_profit_a_store_day_eur,
    held.told.expected_gain as expected_gain_a_store_day_eur,
    coalesce(counted.count_store_days, 0) as count_store_days,
    coalesce(counted.count_visits, 0) as count_visits,
    coalesce(counted.count_units, 0) as count_units,
    coalesce(counted.revenue_eur, 0) as revenue_eur,
    coalesce(counted.profit_eur, 0) as profit_eur,
    coalesce(counted.waste_eur, 0) as waste_eur,
    counted.count_visits * held.told.expected_p_sale as expected_units,
    counted.count_visits * held.told.expected_p_sale * (held.new_price_eur - counted.unit_cost) as expected_profit_eur,
    counted.otherwise_units,
    counted.otherwise_units * held.told.otherwise_price as otherwise_revenue_eur,
    counted.otherwise_units * (held.told.otherwise_price - counted.unit_cost) - counted.otherwise_waste_eur
        as otherwise_profit_eur,
    counted.otherwise_waste_eur,
    counted.profit_eur + counted.otherwise_waste_eur
    - counted.otherwise_units * (held.told.otherwise_price - counted.unit_cost) as gained_eur,
    counted.standard_error_eur
from held
left join counted on held.change = counted.change
union all
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
    0.0 as waste_eur,
    sum(expected_units) as expected_units,
    sum(expected_units * margin) as expected_profit_eur,
    sum(otherwise_units) as otherwise_units,
    sum(otherwise_units * shelf_price) as otherwise_revenue_eur,
    sum(otherwise_units * otherwise_margin) as otherwise_profit_eur,
    0.0 as otherwise_waste_eur,
    sum(units * margin - otherwise_units * otherwise_margin) as gained_eur,
    sqrt(count(*)) * stddev_samp((units - expected_units) * margin) as standard_error_eur
from told
group by number, asked_by, ends_on, sku, side;

comment on view price_effects is
'one price change of one product that holds or held, or one side of an experiment: what was predicted and what came'
' of it';
comment on column price_effects.change is
'id of the price change; of an experiment its number, product and side of the coin';
comment on column price_effects.kind is 'price (what a policy proposed for a day), override, freeze or experiment';
comment on column price_effects.state is 'as in price_changes_now';
comment on column price_effects.asked_by is 'who asked for it: a person, or a policy';
comment on column price_effects.approved_by is 'who approved it last';
comment on column price_effects.holds_from is 'from when it holds in the first store, UTC';
comment on column price_effects.holds_until is 'until when it holds in the last store, UTC; null while it has no end';
comment on column price_effects.price_eur is 'its price, EUR';
comment on column price_effects.otherwise_price_eur is
'the alternative, EUR: the old price of a proposal, else what the policy opened with';
comment on column price_effects.expected_units_a_store_day is
'units predicted when it was asked for, in the ticks in which it holds on its first date';
comment on column price_effects.expected_revenue_a_store_day_eur is 'revenue predicted alike, EUR';
comment on column price_effects.expected_profit_a_store_day_eur is
'profit predicted alike, EUR: revenue less the cost of the units';
comment on column price_effects.expected_gain_a_store_day_eur is
'gain predicted against the alternative, EUR, in revenue or in profit, whichever the catalog maximises';
comment on column price_effects.count_store_days is 'store days on which somebody met it';
comment on column price_effects.count_visits is
'visits that met its price while it held, with stock on the shelf; of an approval all of these; null of an'
' experiment';
comment on column price_effects.count_units is 'units that they bought';
comment on column price_effects.revenue_eur is 'what they paid, EUR';
comment on column price_effects.profit_eur is
'that less the cost of the units as it is now, and what was thrown away on these store days, EUR';
comment on column price_effects.waste_eur is 'what was thrown away on these store days, EUR; 0 of an experiment';
comment on column price_effects.expected_units is 'units predicted then, for as many visits';
comment on column price_effects.expected_profit_eur is 'profit predicted then, for as many visits, EUR';
comment on column price_effects.otherwise_units is
'units predicted then at the alternative, for as many visits, and no more than there were';
comment on column price_effects.otherwise_revenue_eur is 'revenue predicted alike, EUR';
comment on column price_effects.otherwise_profit_eur is 'profit predicted alike, less what would be thrown away, EUR';
comment on column price_effects.otherwise_waste_eur is
'what would have been thrown away at the alternative, EUR: estimated from the units that it would have sold';
comment on column price_effects.gained_eur is
'profit less that of the alternative, EUR: a measurement against a forecast, and no proof, for no price was drawn';
comment on column price_effects.standard_error_eur is
'standard error of the profit, EUR, as if visits bought independently; the forecast has an error of its own';
