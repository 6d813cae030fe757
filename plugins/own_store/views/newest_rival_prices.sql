-- One row per rival and product: the price that was seen last. How old it is counts up to the newest business date of
-- the lake, ours or that of a rival's price.
create or replace view newest_rival_prices as
with dates as (
    select max(business_date) as business_date from repricings
    union all
    select max(business_date) as business_date from exposures
    union all
    select max(business_date) as business_date from competitor_prices
),

newest as (
    select *
    from competitor_prices
    qualify row_number() over (partition by rival, sku order by seen_at desc) = 1
),

today as (
    select max(business_date) as business_date
    from dates
)

select
    newest.rival,
    newest.sku,
    newest.price_eur,
    newest.unit,
    newest.comparable_price_eur,
    newest.seen_at,
    newest.business_date as counts_from,
    newest.fresh_until,
    today.business_date as known_on,
    today.business_date - newest.seen_at::date as age_days,
    newest.fresh_until < today.business_date as is_stale,
    newest.source
from newest
cross join today;

comment on view newest_rival_prices is 'one rival and product, and the price of it that was seen last';
comment on column newest_rival_prices.counts_from is 'first business date on which it counts';
comment on column newest_rival_prices.known_on is 'newest business date of the lake, on which its age is told';
comment on column newest_rival_prices.age_days is 'days from the date on which it was seen to that date, UTC';
comment on column newest_rival_prices.is_stale is 'whether it counts no more on that date';
