-- Rows of `valid` that are decisions of another file already, and whether that one says the same.
select
    valid.line,
    bool_or(
        valid.price_offered = known.price_offered
        and valid.purchased = known.purchased
        and valid.inventory_level is not distinct from known.inventory_level
    ) as is_same
from valid
inner join known
    on
        valid.store_id::varchar = known.store_id::varchar
        and valid.seen_at = known.seen_at
        and valid.shopper_id = known.shopper_id
        and valid.sku::varchar = known.sku::varchar
group by valid.line
order by valid.line;
