-- The limits of each repricing make a chain: they start at what was asked for, follow on one another, and the last of
-- them ends at the new price and names the rule. Half a cent is rounding. Rows = failure.
with limited as (
    select
        business_date,
        store_id,
        tick,
        sku,
        unconstrained_price,
        new_price,
        binding_rule,
        list_transform(clamps, lambda clamp: struct_extract(clamp, 'before')) as prices_before,
        list_transform(clamps, lambda clamp: struct_extract(clamp, 'after')) as prices_after,
        list_transform(clamps, lambda clamp: struct_extract(clamp, 'rule')) as limits
    from closed_repricings
    where
        list_contains($business_dates, business_date)
        and (len(clamps) > 0 or coalesce(abs(unconstrained_price - new_price) > 0.0051, true))  -- else unlimited
)

select
    business_date,
    store_id,
    tick,
    sku,
    unconstrained_price,
    new_price,
    binding_rule,
    limits
from limited
where
    coalesce(abs(unconstrained_price - coalesce(prices_before[1], new_price)) > 0.0051, len(limits) = 0)
    or prices_after[-1] <> new_price
    or binding_rule not in (limits[-1], 'kill_switch')
    or prices_before[2:] is distinct from prices_after[:-2];
