-- One row per decision: of a day that is over or of one that is being sold.
create or replace view interactions as
with interactions_of_all_days as (
    select * from closed_interactions
    union all by name
    select * from live_interactions
)

select
    store_id,
    tick,
    seen_at,
    shopper_id,
    sku,
    product_name,
    price_offered,
    inventory_level,
    budget_multiplier,
    purchased,
    outcome,
    policy,
    propensity,
    model_version,
    sticker_eur,
    business_date
from interactions_of_all_days;
