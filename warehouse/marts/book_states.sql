-- One row per product, stock level and number of ticks left, of every price book: of those in steps, and of those of
-- earlier versions, which hold a row for each.
create or replace view price_book_history as
select * from price_book_by_state -- noqa: AM04
union all by name
select * from states_of_steps('price_steps', '-infinity'::date); -- noqa: AM04

create or replace view replaced_price_book as
select * from replaced_price_book_by_state -- noqa: AM04
union all by name
select * from states_of_steps('replaced_price_steps', '-infinity'::date); -- noqa: AM04

create or replace view hourly_price_book as
select * from hourly_price_book_by_state -- noqa: AM04
union all by name
select * from states_of_steps('hourly_price_steps', '-infinity'::date); -- noqa: AM04

comment on view price_book_history is
'one product at one stock level with one number of ticks left, for each business date';
comment on view replaced_price_book is
'one product at one stock level with one number of ticks left, of a book that another took the place of';
comment on view hourly_price_book is
'one product at one stock level with one number of ticks left, remade for a store in the middle of its day';
