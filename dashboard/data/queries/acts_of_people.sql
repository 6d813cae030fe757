-- One row per thing that people did to the prices of a store, or of one of its products, by when it counted there. What
-- the rule of the catalog approved is no act of a person; what was decided at once about several prices is one row.
with acts as (
    select
        number,
        event,
        kind,
        new_price,
        announced,
        greatest(
            coalesce(
                list_filter(effective_in, lambda one: one['store_id'] = $store)[1]['effective_at'], effective_at
            ),
            if(event = 'approved', valid_from, effective_at)
        ) as counts_from
    from price_changes
    where
        business_date <= $last
        and event in ('approved', 'withdrawn')
        and done_by <> 'the rule'
        and coalesce(store_id, $store) = $store
        and ($sku is null or coalesce(sku, $sku) = $sku)
)

select
    counts_from,
    event,
    kind,
    bool_or(announced) as announced,
    count(*) as count_changes,
    min(new_price) as new_price
from acts
where counts_from between $first_moment and $last_moment
group by counts_from, number, event, kind
order by counts_from desc, number desc
limit $most;
