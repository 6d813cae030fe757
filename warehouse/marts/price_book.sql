-- One row per product, stock level and number of ticks left, of the newest price book.
-- Earlier ones are in price_book_history.
create or replace view price_book as
select
    sku,
    inventory_level,
    ticks_left,
    price,
    p_sale,
    expected_revenue,
    unit_value,
    unconstrained_price,
    binding_rule,
    policy_rule,
    unconstrained_p_sale,
    policy,
    model_version,
    published_at,
    business_date
from price_book_history
where business_date = (select max(business_date) from price_book_history);

comment on view price_book is 'one product at one stock level with one number of ticks left';
