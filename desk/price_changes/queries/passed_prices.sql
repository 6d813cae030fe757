-- What passes by rule on a date: one row per store and product whose newest event is an approval. An action takes back
-- what passed before, and approves what it proposes in its place.
select
    store_id,
    sku,
    number,
    new_price
from events
where event in ('approved', 'withdrawn')
qualify
    row_number() over (partition by store_id, sku order by number desc, event = 'approved' desc) = 1
    and event = 'approved'
