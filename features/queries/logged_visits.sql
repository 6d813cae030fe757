-- Visits that found the product on the shelf on the days after a date: what was shown, with which chance, and what
-- came of it. Of many, whole store days are kept, picked by their hash. A stock that nobody knows is taken for a
-- full shelf, as when the champion is asked for its demand curves.
with visits as (
    select
        interactions.business_date,
        interactions.tick,
        interactions.price_offered,
        interactions.propensity,
        interactions.purchased,
        list_position($skus, interactions.sku) - 1 as product,
        coalesce(interactions.inventory_level, products.par_stock) as inventory_level,
        hash(interactions.store_id, interactions.business_date) as store_day
    from closed_interactions as interactions
    inner join products on interactions.sku = products.sku
    where
        interactions.business_date > $trained_through
        and interactions.business_date <= $judged_through
        and interactions.inventory_level is distinct from 0
)

select
    business_date,
    tick,
    price_offered,
    propensity,
    purchased,
    product,
    inventory_level,
    store_day,
    hash(store_day, product, tick // $hold_ticks) as dice
from visits
where
    product is not null
    and store_day % 10000 < $kept_of_10000
order by business_date, store_day, product, tick;
