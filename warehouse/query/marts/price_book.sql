-- One row per product, stock level and number of ticks left, of the newest price book, and of every one.
create or replace view price_book as
select * from booked_states('booked_prices', (select max(business_date) from booked_prices)); -- noqa: AM04

create or replace view price_book_history as
select * from booked_states('booked_prices', '-infinity'::date); -- noqa: AM04

comment on view price_book is 'one product at one stock level with one number of ticks left';
comment on view price_book_history is
'one product at one stock level with one number of ticks left, for each business date';
comment on column price_book.inventory_level is 'stock now';
comment on column price_book.expected_revenue is
'revenue expected of a visit at the price: the price times the chance of sale, EUR';
comment on column price_book_history.inventory_level is 'stock now';
comment on column price_book_history.expected_revenue is
'revenue expected of a visit at the price: the price times the chance of sale, EUR';
comment on column price_book.price is 'price under the static limits, which look at no price shown before, EUR';
comment on column price_book.p_sale is 'chance that a shopper who considers the product buys it';
comment on column price_book.unconstrained_price is 'the policy''s price before any limit, EUR';
comment on column price_book.unconstrained_p_sale is
'chance of sale at the policy''s price before any limit, probability';
comment on column price_book_history.price is 'price under the static limits, which look at no price shown before, EUR';
comment on column price_book_history.p_sale is 'chance that a shopper who considers the product buys it';
comment on column price_book_history.unconstrained_price is 'the policy''s price before any limit, EUR';
comment on column price_book_history.unconstrained_p_sale is
'chance of sale at the policy''s price before any limit, probability';
