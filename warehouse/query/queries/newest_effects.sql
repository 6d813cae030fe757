-- What came of the newest prices that people set or approved and of experiments, as far as somebody met them. Columns
-- that end in _in_all are totals over all prices that people set or approved, not of the newest alone.
with met as (
    select
        *,
        expected_gain_a_store_day_eur * count_store_days as promised_eur
    from price_effects
    where count_store_days > 0 and approved_by <> 'the rule'
)

select
    met.change,
    met.kind,
    met.state,
    met.sku,
    products.product_name,
    met.store_id,
    met.approved_by,
    met.holds_from,
    met.price_eur,
    met.otherwise_price_eur,
    met.count_store_days,
    met.count_visits,
    met.count_units,
    met.expected_units,
    met.otherwise_units,
    met.revenue_eur,
    met.otherwise_revenue_eur,
    met.profit_eur,
    met.expected_profit_eur,
    met.otherwise_profit_eur,
    met.waste_eur,
    met.otherwise_waste_eur,
    met.gained_eur,
    met.promised_eur,
    met.standard_error_eur,
    count(*) filter (where met.kind <> 'experiment') over () as prices_in_all,
    sum(met.promised_eur) filter (where met.kind <> 'experiment') over () as promised_in_all,
    sum(met.revenue_eur) filter (where met.kind <> 'experiment') over () as revenue_in_all,
    sum(met.otherwise_revenue_eur) filter (where met.kind <> 'experiment') over () as otherwise_revenue_in_all,
    sum(met.profit_eur) filter (where met.kind <> 'experiment') over () as profit_in_all,
    sum(met.otherwise_profit_eur) filter (where met.kind <> 'experiment') over () as otherwise_profit_in_all,
    sum(met.waste_eur) filter (where met.kind <> 'experiment') over () as waste_in_all,
    sum(met.otherwise_waste_eur) filter (where met.kind <> 'experiment') over () as otherwise_waste_in_all
from met
left join products on met.sku = products.sku
order by met.holds_from desc, met.change asc
limit $most;
