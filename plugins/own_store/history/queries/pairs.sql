-- Each product of the shelf in each store of a file, with its first and its last date with a sale.
create or replace table pairs as
with found as (
    select
        shops.code as store,
        shops.store_id,
        shelf.place as product,
        shelf.sku,
        min(staged.date) filter (where staged.units > 0) as first_date,
        max(staged.date) filter (where staged.units > 0) as last_date
    from staged
    inner join shops on staged.store = shops.store
    inner join shelf on staged.product = shelf.product
    group by all
)

select
    row_number() over (order by store, product) - 1 as pair,
    *
from found;
