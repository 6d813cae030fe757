-- One row per store, product and price that stood without a break, in the order in which it was shown: what the law
-- asks for. A price ends where the next one begins, or with its business date.
create or replace view price_history as
select
    store_id,
    sku,
    business_date,
    tick as first_tick,
    lead(tick) over day_of_product - 1 as last_tick,
    new_price as price_eur,
    decided_at as shown_from,
    lead(decided_at) over day_of_product as shown_until,
    reason
from repricings
window day_of_product as (partition by store_id, sku, business_date order by tick);

comment on view price_history is 'one price that a store showed of a product without a break, from when to when';
comment on column price_history.first_tick is 'tick from which it stood, since opening';
comment on column price_history.last_tick is 'last tick in which it stood; null is until closing';
comment on column price_history.price_eur is 'price on the shelf, EUR';
comment on column price_history.shown_from is 'when it was first shown, UTC';
comment on column price_history.shown_until is 'when the next price took its place, UTC; null is at closing';
comment on column price_history.reason is 'why it was set, in a sentence';
