-- One row per price decision of a day that is being sold. A live day that closed has become a batch, which carries
-- the name of its live partition and replaces it: so nothing is shown twice.
create or replace view live_repricings as
with closed as (
    select
        business_date,
        store_id
    from closed_live_days
    where table_name = 'repricings'
)

select
    live.store_id,
    live.tick,
    live.decided_at,
    live.sku,
    live.old_price,
    live.new_price,
    live.unconstrained_price,
    live.inventory_level,
    live.p_sale,
    live.expected_revenue,
    live.unit_value,
    live.clamps,
    live.clamp_cost,
    live.binding_rule,
    live.explored,
    live.policy,
    live.model_version,
    live.reason,
    live.sticker_eur,
    live.business_date
from live_repricings_published as live
anti join closed on live.business_date = closed.business_date and live.store_id = closed.store_id;
