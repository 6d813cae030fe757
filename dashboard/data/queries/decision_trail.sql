-- One row per price decision about one product in one store in a span of days, the newest first.
select
    decided_at,
    old_price,
    new_price,
    unconstrained_price,
    inventory_level,
    p_sale,
    expected_revenue,
    unit_value,
    clamp_cost,
    binding_rule,
    array_to_string(list_transform(clamps, lambda clamp: clamp['rule']), ', ') as limits,
    explored,
    policy,
    model_version,
    reason
from repricings
where business_date between $first and $last and store_id = $store and sku = $sku
order by decided_at desc
limit $most;
