-- One row per business date, store and product: what was earned, less what was thrown away and kept. Where stock lives
-- over days, units cost what they cost that day; elsewhere, and before closing, what they cost now. A shelf that is
-- simply full at each opening has no waste. An outside store counts units, of which parts may be sold.
create or replace view daily_profit as
with units_sold as (
    select
        business_date,
        store_id,
        sku,
        purchased::int as units,
        price_offered as price
    from visits_and_substitutions
    union all
    select
        business_date,
        store_id,
        sku,
        units,
        price
    from unit_sales
),

sold as (
    select
        business_date,
        store_id,
        sku,
        sum(units) as count_units,
        sum(units * price) as revenue_eur
    from units_sold
    group by business_date, store_id, sku
),

moved as (
    select
        business_date,
        store_id,
        sku,
        any_value(unit_cost) as unit_cost,
        sum(waste_eur) as waste_eur,
        sum(holding_eur) as holding_eur
    from stock_movements
    group by business_date, store_id, sku
),

counted as (
    select
        coalesce(sold.business_date, moved.business_date) as business_date,
        coalesce(sold.store_id, moved.store_id) as store_id,
        coalesce(sold.sku, moved.sku) as sku,
        coalesce(sold.count_units, 0) as count_units,
        coalesce(sold.revenue_eur, 0) as revenue_eur,
        moved.unit_cost,
        coalesce(moved.waste_eur, 0) as waste_eur,
        coalesce(moved.holding_eur, 0) as holding_eur
    from sold
    full join moved
        on sold.business_date = moved.business_date and sold.store_id = moved.store_id and sold.sku = moved.sku
),

costed as (
    select
        counted.business_date,
        counted.store_id,
        counted.sku,
        counted.count_units,
        counted.revenue_eur,
        counted.count_units * coalesce(counted.unit_cost, products.unit_cost) as cost_eur,
        counted.waste_eur,
        counted.holding_eur
    from counted
    left join products on counted.sku = products.sku
)

select
    business_date,
    store_id,
    sku,
    round(count_units)::bigint as count_units,
    revenue_eur,
    cost_eur,
    revenue_eur - cost_eur as margin_eur,
    waste_eur,
    holding_eur,
    revenue_eur - cost_eur - waste_eur - holding_eur as profit_eur
from costed;

comment on view daily_profit is 'one business date, store and product, and what is left of its revenue';
comment on column daily_profit.count_units is 'units sold; parts of a unit are rounded';
comment on column daily_profit.revenue_eur is 'revenue, EUR';
comment on column daily_profit.cost_eur is
'what the units sold were bought for, EUR; null for a product that has left the shelf and whose cost was not kept';
comment on column daily_profit.margin_eur is 'revenue less cost, EUR';
comment on column daily_profit.waste_eur is
'cost of the units thrown away, and of their disposal, EUR; 0 where the shelf is simply full at each opening';
comment on column daily_profit.holding_eur is 'cost of keeping units overnight, EUR';
comment on column daily_profit.profit_eur is 'margin less waste and holding, EUR; what is left is worth its cost';
