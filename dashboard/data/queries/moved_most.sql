-- The products whose newest drawn prices are farthest from the owner's, and how many prices are held.
with newest as (
    select *
    from price_draws
    where business_date = (select max(business_date) from price_draws) and design != $back
)

select
    n.sku,
    coalesce(any_value(p.product_name), n.sku) as product_name,
    avg(n.price / n.shelf_price - 1) filter (where not n.is_held) as moved,
    avg(n.response) as response,
    (select count(*) from newest where is_held) as count_held,
    (select count(*) from newest) as count_prices
from newest as n
left join products as p on n.sku = p.sku
group by n.sku
order by abs(moved) desc nulls last, n.sku
limit $most
