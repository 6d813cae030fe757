-- One row per action on price changes, the newest first: what was decided at once about several prices is one row.
with acts as (
    select
        number,
        event,
        kind,
        by,
        any_value(recorded_at) as recorded_at,
        count(*) as count_changes,
        min(change) as change,
        min(sku) as sku,
        min(store_id) as store_id,
        min(new_price) as new_price,
        min(old_price) as old_price,
        min(reason) as reason
    from price_changes
    group by number, event, kind, by
)

select
    number,
    event,
    kind,
    by,
    recorded_at,
    count_changes,
    change,
    sku,
    store_id,
    new_price,
    old_price,
    reason
from acts
order by number desc, array_position(['withdrawn', 'proposed', 'approved', 'rejected'], event) desc
limit $most;
