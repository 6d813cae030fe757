-- One row per decision of a day that is over that met the product in stock: what demand is learned from. What an
-- outside store sold at prices that were not ours teaches nothing.
create or replace view decisions_with_stock as
with decisions as (
    select * from with_stock(closed_interactions)
    where policy <> 'owner'
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
    business_date
from decisions;

comment on view decisions_with_stock is 'one decision of a day that is over, met with stock';
