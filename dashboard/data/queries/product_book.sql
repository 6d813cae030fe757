-- One row per stock level and number of ticks left of one product, in the price book of one date.
select
    inventory_level,
    ticks_left,
    price,
    unconstrained_price,
    p_sale,
    expected_revenue,
    unit_value,
    binding_rule,
    policy,
    model_version
from price_book_history
where business_date = $date and sku = $sku
order by inventory_level, ticks_left;
