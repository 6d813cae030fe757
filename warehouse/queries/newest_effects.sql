-- What came of the newest prices that people set or approved and of experiments, as far as somebody met them.
select
    change,
    kind,
    state,
    sku,
    store_id,
    price_eur,
    otherwise_price_eur,
    count_store_days,
    count_visits,
    count_units,
    expected_units,
    otherwise_units,
    profit_eur,
    expected_profit_eur,
    otherwise_profit_eur,
    gained_eur,
    standard_error_eur
from price_effects
where count_store_days > 0 and approved_by <> 'the rule'
order by holds_from desc, change asc
limit $most;
