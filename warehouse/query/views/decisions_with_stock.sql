-- One row per decision of a day that is over that met the product in stock: what demand is learned from. What an
-- outside store sold at prices that were not ours teaches nothing. A shopper before a sticker buys something if she can
-- pay that, so its price is the one that she was offered.
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
    coalesce(sticker_eur, price_offered) as price_offered,
    inventory_level,
    budget_multiplier,
    purchased,
    outcome,
    policy,
    propensity,
    model_version,
    sticker_eur,
    business_date
from decisions;

comment on view decisions_with_stock is 'one decision of a day that is over, met with stock';
