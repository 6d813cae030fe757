-- One row per decision that met stock, with its price ratio.
create or replace view decisions_with_ratio as
with decisions as (
    select
        business_date,
        store_id,
        seen_at,
        sku,
        price_offered,
        inventory_level,
        purchased
    from decisions_with_stock
)

select
    business_date,
    store_id,
    seen_at,
    sku,
    price_offered,
    inventory_level,
    purchased,
    price_ratio
from with_price_ratio(decisions);

-- One row per decision that met stock, products one-hot: the classic training table.
create or replace view training_rows as
select
    business_date,
    store_id,
    seen_at,
    sku,
    price_offered,
    inventory_level,
    purchased,
    columns('^(price_ratio|sku_.*)$')
from model_input(decisions_with_ratio);

comment on view decisions_with_ratio is 'one decision of a day that is over, met with stock, with its price ratio';
comment on view training_rows is 'one decision of a day that is over, met with stock, as a model would see it';
comment on column decisions_with_ratio.inventory_level is 'stock before the decision, units; null when unknown';
comment on column training_rows.inventory_level is 'stock before the decision, units; null when unknown';
