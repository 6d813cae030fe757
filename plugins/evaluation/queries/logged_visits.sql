-- One row per visit that found the product on the shelf on the days after a date: what was shown, with which chance,
-- and what came of it. Of many, whole store days are kept, picked by their hash before anything else is worked out. A
-- stock that nobody knows is taken for a full shelf, as when the champion is asked for its demand curves. Visits before
-- a sticker are left out: the price on the label, which has the chance, was not the lowest there. Calm trials stand for
-- longer than those of `static` and `rule`. Rows that differ have one order, so that sums over them are the same to the
-- last bit.
with visits as (
    select
        decisions.business_date,
        decisions.store_id,
        decisions.tick,
        decisions.price_offered,
        decisions.propensity,
        decisions.purchased,
        case when decisions.policy in ('static', 'rule') then $hold_ticks else $trial_ticks end as throw_ticks,
        list_position($skus, decisions.sku) - 1 as product,
        coalesce(decisions.inventory_level, products.par_stock) as inventory_level,
        hash(decisions.store_id, decisions.business_date) as store_day
    from decisions_with_stock as decisions
    inner join products on decisions.sku = products.sku
    where
        decisions.sticker_eur is null
        and decisions.business_date > $trained_through
        and decisions.business_date <= $judged_through
        and hash(decisions.store_id, decisions.business_date) % 10000 < $kept_of_10000
)

select
    business_date,
    store_id,
    tick,
    price_offered,
    propensity,
    purchased,
    product,
    inventory_level,
    store_day,
    hash(store_day, product, tick // throw_ticks) as dice
from visits
where product is not null
order by business_date, store_day, product, tick, price_offered, propensity, inventory_level, purchased;
