-- One row per price change of one product that holds or held: what was predicted when it was asked for, and what the
-- visits brought that met its price in stock while it held. Prices of which nothing was predicted, and those that are
-- their own alternative, are left out. What the alternative would have brought is its forecast of then, for as many
-- visits: the difference is no proof, since no draw decided who met which price. The sides of each experiment follow,
-- product by product: what its draws expected of the store days on which a side stood, and what sold. Between the two,
-- a coin decided; the alternative is the owner's price, as the draws expected it to sell.
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

met as (
    select
        held.change,
        visits.business_date,
        visits.store_id,
        visits.purchased,
        visits.price_offered - products.unit_cost as margin,
        products.unit_cost
    from held
    inner join interactions as visits
        on
            held.sku = visits.sku
            and held.new_price_eur = visits.price_offered
            and held.holds_from <= visits.seen_at
    left join products on held.sku = products.sku
    where
        coalesce(held.store_id = visits.store_id, true)
        and coalesce(visits.seen_at < held.holds_until, true)
        and visits.inventory_level is distinct from 0
),

counted as (
    select
        change,
        any_value(unit_cost) as unit_cost,
        count(distinct business_date::varchar || store_id) as count_store_days,
        count(*) as count_visits,
        count(*) filter (where purchased) as count_units,
        sum(case when purchased then margin else 0 end) as profit_eur,
        sqrt(count(*)) * stddev_samp(case when purchased then margin else 0 end) as standard_error_eur
    from met
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
    coalesce(counted.count_units, 0) * held.new_price_eur as revenue_eur,
    coalesce(counted.profit_eur, 0) as profit_eur,
    counted.count_visits * held.told.expected_p_sale as expected_units,
    counted.count_visits * held.told.expected_p_sale * (held.new_price_eur - counted.unit_cost) as expected_profit_eur,
    counted.count_visits * held.told.otherwise_p_sale as otherwise_units,
    counted.count_visits * held.told.otherwise_p_sale * held.told.otherwise_price as otherwise_revenue_eur,
    counted.count_visits * held.told.otherwise_p_sale * (held.told.otherwise_price - counted.unit_cost)
        as otherwise_profit_eur,
    counted.profit_eur
    - counted.count_visits * held.told.otherwise_p_sale * (held.told.otherwise_price - counted.unit_cost)
        as gained_eur,
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
    sum(expected_units) as expected_units,
    sum(expected_units * margin) as expected_profit_eur,
    sum(otherwise_units) as otherwise_units,
    sum(otherwise_units * shelf_price) as otherwise_revenue_eur,
    sum(otherwise_units * otherwise_margin) as otherwise_profit_eur,
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
comment on column price_effects.count_store_days is 'store days on which somebody met its price';
comment on column price_effects.count_visits is
'visits that met its price while it held, with stock on the shelf; null of an experiment';
comment on column price_effects.count_units is 'units that they bought';
comment on column price_effects.revenue_eur is 'what they paid, EUR';
comment on column price_effects.profit_eur is 'that less the cost of the units as it is now, EUR';
comment on column price_effects.expected_units is 'units predicted then, for as many visits';
comment on column price_effects.expected_profit_eur is 'profit predicted then, for as many visits, EUR';
comment on column price_effects.otherwise_units is 'units predicted then at the alternative, for as many visits';
comment on column price_effects.otherwise_revenue_eur is 'revenue predicted alike, EUR';
comment on column price_effects.otherwise_profit_eur is 'profit predicted alike, EUR';
comment on column price_effects.gained_eur is
'profit less that of the alternative, EUR: a measurement against a forecast, and no proof, for no price was drawn';
comment on column price_effects.standard_error_eur is
'standard error of the profit, EUR, as if visits bought independently; the forecast has an error of its own';
