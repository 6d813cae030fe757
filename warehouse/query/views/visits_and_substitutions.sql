-- One row per visit, and one more per unit that a shopper took instead of what her visit was for: whatever was sold is
-- bought in one of them. A row with instead_of is no visit to its product, so who counts visits leaves it out.
create or replace view visits_and_substitutions as
select
    business_date,
    store_id,
    tick,
    seen_at,
    shopper_id,
    sku,
    product_name,
    price_offered,
    sticker_eur,
    inventory_level,
    budget_multiplier,
    purchased,
    outcome,
    policy,
    model_version,
    null as instead_of
from interactions
union all by name
select
    business_date,
    store_id,
    tick,
    seen_at,
    shopper_id,
    sku,
    product_name,
    price_offered,
    null as sticker_eur,
    inventory_level,
    null as budget_multiplier,
    true as purchased,
    'bought' as outcome,
    policy,
    model_version,
    instead_of
from substitutions;

comment on view visits_and_substitutions is
'one visit to a product, or one unit that was taken instead of the product that a visit was for';
