-- One row per decision of a day that is being sold. A live day that closed has become a batch, which carries the name
-- of its live partition and replaces it: so nothing is shown twice.
create or replace view live_interactions as
with closed as (
    select
        business_date,
        store_id
    from closed_live_days
    where table_name = 'interactions'
)

select
    live.store_id,
    live.tick,
    live.seen_at,
    live.shopper_id,
    live.sku,
    live.product_name,
    live.price_offered,
    live.inventory_level,
    live.budget_multiplier,
    live.purchased,
    live.outcome,
    live.policy,
    live.propensity,
    live.model_version,
    live.sticker_eur,
    live.business_date
from live_interactions_published as live
anti join closed on live.business_date = closed.business_date and live.store_id = closed.store_id;
