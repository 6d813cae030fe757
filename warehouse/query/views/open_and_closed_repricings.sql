-- One row per price decision: of a day that is over or of one that is being sold.
create or replace view repricings as
with repricings_of_all_days as (
    select * from closed_repricings
    union all by name
    select * from live_repricings
)

select
    store_id,
    tick,
    decided_at,
    sku,
    old_price,
    new_price,
    unconstrained_price,
    inventory_level,
    p_sale,
    expected_revenue,
    unit_value,
    clamps,
    clamp_cost,
    binding_rule,
    explored,
    policy,
    model_version,
    reason,
    sticker_eur,
    business_date
from repricings_of_all_days;
