-- One row per business date, store and product: how its price moved, and what moved it.
create or replace view daily_prices as
select
    business_date,
    store_id,
    sku,
    arg_min(new_price, tick) as opening_price_eur,
    arg_max(new_price, tick) as closing_price_eur,
    min(new_price) as lowest_price_eur,
    max(new_price) as highest_price_eur,
    count(old_price) as count_changes,
    count(*) filter (where explored) as count_explored,
    count(*) filter (where len(clamps) > 0) as count_clamped
from repricings
group by business_date, store_id, sku;

comment on view daily_prices is 'one business date, store and product, and how its price moved';
comment on column daily_prices.opening_price_eur is 'price at opening, EUR';
comment on column daily_prices.closing_price_eur is 'last price of the day, EUR';
comment on column daily_prices.lowest_price_eur is 'lowest price shown, EUR';
comment on column daily_prices.highest_price_eur is 'highest price shown, EUR';
comment on column daily_prices.count_changes is 'changes of price after opening';
comment on column daily_prices.count_explored is 'price decisions that tried a price in order to learn';
comment on column daily_prices.count_clamped is 'price decisions that a guardrail changed';
