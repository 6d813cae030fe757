-- The newest one; earlier ones are in price_book_history.
create or replace view price_book as
select *
from price_book_history
where business_date = (select max(business_date) from price_book_history);

comment on view price_book is 'one product at one stock level with one number of ticks left';
