-- Lines that came and that the lake has: one row for each whose ids no stored line has with something else.
-- An id is the event's own, or the receipt and number of a business date.
with came as (
    select * from arrived
),

before as (
    select * from stored
),

by_event as (
    select
        came.place,
        before.said = came.said as is_same
    from came
    inner join before on came.store_id = before.store_id and came.event_id = before.event_id
),

by_receipt as (
    select
        came.place,
        before.said = came.said as is_same
    from came
    inner join
        before
        on
            came.store_id = before.store_id
            and came.receipt = before.receipt
            and came.line = before.line
            and before.is_of_date
),

pairs as (
    select * from by_event
    union all
    select * from by_receipt
),

final as (
    select place
    from pairs
    group by place
    having bool_and(is_same)
)

select place
from final
order by place
