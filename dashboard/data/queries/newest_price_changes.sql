-- One row per action on price changes, the newest first: what was decided at once about several prices is one row.
with acts as (
    select
        events.number,
        events.event,
        events.kind,
        events.done_by as decided_by,
        any_value(events.recorded_at) as recorded_at,
        count(*) as count_changes,
        min(events.change) as change,
        min(events.sku) as sku,
        min(events.store_id) as store_id,
        min(events.new_price) as new_price,
        min(events.old_price) as old_price,
        min(events.reason) as reason,
        min(events.business_date) as business_date
    from price_changes as events
    group by events.number, events.event, events.kind, events.done_by
)

select
    number,
    event,
    kind,
    decided_by,
    recorded_at,
    count_changes,
    change,
    sku,
    store_id,
    new_price,
    old_price,
    reason,
    business_date
from acts
order by number desc, array_position(['withdrawn', 'proposed', 'approved', 'rejected'], event) desc
limit $most;
