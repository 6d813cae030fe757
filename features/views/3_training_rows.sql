-- The classic training table: one row per decision, products one-hot, stock-outs left out.
create or replace view decisions_with_stock as
select
    business_date,
    store_id,
    seen_at,
    sku,
    price_offered,
    inventory_level,
    purchased
from closed_interactions
where inventory_level is distinct from 0;

create or replace view decisions_with_ratio as
select * from with_price_ratio(decisions_with_stock);

create or replace view training_rows as
select * from model_input(decisions_with_ratio);

comment on view decisions_with_stock is 'one decision of a day that is over, met with stock';
comment on view decisions_with_ratio is 'one decision of a day that is over, met with stock, with its price ratio';
comment on view training_rows is 'one decision of a day that is over, met with stock, as a model would see it';
comment on column decisions_with_stock.inventory_level is 'stock before the decision, units; null when unknown';
comment on column decisions_with_ratio.inventory_level is 'stock before the decision, units; null when unknown';
comment on column training_rows.inventory_level is 'stock before the decision, units; null when unknown';
