-- One row per choice before shoppers who found a product too dear or sold out: which of its substitutes stood at which
-- prices, and what was taken. Of one partition: the views `visits`, `taken` and `repriced`; $skus and $others name the
-- substitutes in pairs. How a substitute stood is what was seen of it last: by a visit, by one who took it, or when its
-- price was set.
with pairs as (
    select
        unnest($skus) as sku,
        unnest($others) as other
),

failed as (
    select
        store_id,
        seen_at,
        shopper_id,
        sku
    from visits
    where not purchased and not is_external(policy) and sku in (select sku from pairs)
),

seen as (
    select
        store_id,
        sku,
        seen_at,
        price_offered as price,
        inventory_level - purchased::int as units
    from visits
    union all
    select
        store_id,
        sku,
        seen_at,
        price_offered as price,
        inventory_level - 1 as units
    from taken
    union all
    select
        store_id,
        sku,
        decided_at as seen_at,
        new_price as price,
        inventory_level as units
    from repriced
),

before as (
    select
        failed.store_id,
        failed.seen_at,
        failed.shopper_id,
        failed.sku,
        pairs.other
    from failed
    inner join pairs on failed.sku = pairs.sku
),

stood as (
    select
        before.store_id,
        before.seen_at,
        before.shopper_id,
        before.sku,
        list(before.other::varchar order by before.other) as others,
        list(seen.price order by before.other) as prices
    from before
    asof inner join seen
        on
            before.store_id = seen.store_id
            and before.other = seen.sku
            and before.seen_at > seen.seen_at
    where seen.units > 0
    group by before.store_id, before.seen_at, before.shopper_id, before.sku
)

select
    stood.sku,
    stood.others,
    stood.prices,
    taken.sku as taken,
    count(*) as count_shoppers
from stood
left join taken
    on
        stood.store_id = taken.store_id
        and stood.seen_at = taken.seen_at
        and stood.shopper_id = taken.shopper_id
        and stood.sku = taken.instead_of
group by stood.sku, stood.others, stood.prices, taken.sku
order by stood.sku, stood.others, stood.prices, taken.sku;
