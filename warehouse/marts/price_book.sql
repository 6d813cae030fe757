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
from (
    select * from price_book_by_state -- noqa: AM04
    union all by name
    select * from states_of_steps('price_steps', (select max(business_date) from price_steps)) -- noqa: AM04
) as books
where business_date = (
    select greatest(
        (select max(business_date) from price_steps),
        (select max(business_date) from price_book_by_state)
    )
);

comment on view price_book is 'one product at one stock level with one number of ticks left';
