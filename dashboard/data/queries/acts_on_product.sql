-- One row per decision of a person since a date about the price of a product in a store, the oldest first.
select
    effective_at,
    event,
    kind,
    done_by,
    new_price as price_eur
from price_changes
where
    (sku = $sku or sku is null)
    and (store_id = $store or store_id is null)
    and event <> 'proposed'
    and done_by <> 'the rule'
    and (kind <> 'price' or event <> 'withdrawn')
    and business_date >= $first
order by effective_at;
