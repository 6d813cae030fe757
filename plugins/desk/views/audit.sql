-- One row per thing that somebody did about prices: each event of a price change, and each change of champion.
create or replace view audit as
select
    recorded_at as done_at,
    done_by as who,
    event as did,
    change as subject,
    kind as about,
    sku,
    store_id,
    new_price as price_eur,
    reason
from price_changes
union all
select
    decided_at as done_at,
    decided_by as who,
    action as did,
    version as subject,
    'champion' as about,
    null as sku,
    null as store_id,
    null as price_eur,
    reason
from champions;

comment on view audit is 'one thing that somebody did about prices: an event of a price change or another champion';
comment on column audit.reason is 'why, in a sentence';
comment on column audit.done_at is 'when it was recorded, UTC';
comment on column audit.who is 'a person, the name of a token, a policy, the gate, or the rule of the catalog';
comment on column audit.did is
'proposed, approved, rejected, withdrawn, promoted_by_gate, promoted_by_hand, rolled_back';
comment on column audit.subject is 'id of the price change, or the model version';
comment on column audit.about is 'price, override, freeze, kill_switch or champion';
comment on column audit.price_eur is 'price that is wanted, EUR; null for base prices and champions';
