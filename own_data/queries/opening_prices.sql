-- One row per product: its price at opening with a full shelf, in the newest book made for a date or before.
with newest as (
    select max(business_date) as business_date
    from price_book_history
    where business_date <= $latest
)

select
    books.sku,
    arg_max(books.price, row(books.inventory_level, books.ticks_left)) as price
from price_book_history as books
inner join newest on books.business_date = newest.business_date
group by books.sku
order by books.sku;
