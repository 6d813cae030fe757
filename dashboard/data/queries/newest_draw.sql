-- The newest draw of an outside chain: each product with its prices, and the stores that it was drawn for.
with newest as (
    select *
    from price_draws
    where business_date = (select max(business_date) from price_draws)
)

select
    n.business_date as first,
    n.through,
    n.sku,
    coalesce(any_value(p.product_name), n.sku) as product_name,
    list(n.store_id order by n.store_id) filter (
        where not n.is_held and n.design != $back
    ) as drawn_stores,
    list(n.store_id order by n.store_id) filter (where n.is_held) as held_stores,
    list(n.store_id order by n.store_id) filter (where n.design = $back) as stores_back,
    min(n.price) as lowest,
    max(n.price) as highest,
    min(n.shelf_price) as lowest_own,
    max(n.shelf_price) as highest_own
from newest as n
left join products as p on n.sku = p.sku
group by n.business_date, n.through, n.sku
order by n.sku
