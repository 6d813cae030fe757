-- Stored lines that have the event id of a line that arrived, or its receipt and number on its business date.
with came as (
    select * from arrived
),

by_event as (
    select
        stored.part,
        stored.place
    from stored
    inner join came on stored.store_id = came.store_id and stored.event_id = came.event_id
),

by_receipt as (
    select
        stored.part,
        stored.place
    from stored
    inner join
        came
        on stored.store_id = came.store_id and stored.receipt = came.receipt and stored.line = came.line
    where stored.business_date = $date
),

final as (
    select * from by_event
    union
    select * from by_receipt
)

select
    part,
    place
from final
order by part, place
