-- One row per price change of one product that holds or held: what was predicted when it was asked for, and what the
-- visits brought that met its price in stock while it held. Prices of which nothing was predicted, and those that are
-- their own alternative, are left out. What the alternative would have brought is its forecast of then, for as many
-- visits: the difference is no proof, since no draw decided who met which price. The sides of experiments follow, see
-- experiment_effects: between two sides of one, a fair coin decided.
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
select * from experiment_effects; -- noqa: AM04

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
