-- Ids of lines that another line voids or corrects, by the business date of the voided line.
-- A receipt is looked for on the date of the line that names it, and else on the newest date before that has it.
with named as (
    select distinct
        business_date as named_on,
        store_id,
        other_event_id,
        other_receipt,
        other_line
    from stored
    where other_event_id is not null or other_receipt is not null
),

events as (
    select distinct
        stored.business_date,
        named.named_on,
        stored.store_id,
        stored.event_id,
        null::varchar as receipt,
        null::bigint as line
    from stored
    inner join named on stored.store_id = named.store_id and stored.event_id = named.other_event_id
),

receipts as (
    select
        max(stored.business_date) as business_date,
        named.named_on,
        stored.store_id,
        null::varchar as event_id,
        stored.receipt,
        stored.line
    from stored
    inner join
        named
        on
            stored.store_id = named.store_id
            and stored.receipt = named.other_receipt
            and stored.line = named.other_line
            and stored.business_date <= named.named_on
    group by all
),

final as (
    select * from events
    union all
    select * from receipts
)

select
    business_date,
    named_on,
    store_id,
    event_id,
    receipt,
    line
from final
order by business_date, named_on, store_id, event_id, receipt, line
