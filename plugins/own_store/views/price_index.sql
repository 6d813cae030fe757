-- One row per business date, product and rival: our opening price over the rival's price of as much, by what was known
-- of the rival on that date. Ours is the mean of the stores. A price that is stale then has no index.
create or replace view price_index as
with ours as (
    select
        business_date,
        store_id,
        sku,
        opening_price_eur as price_eur
    from daily_prices
    union all
    select
        business_date,
        store_id,
        sku,
        arg_min(charged_price, starts_at) as price_eur
    from exposures
    where not_ours is null
    group by business_date, store_id, sku
),

our_prices as (
    select
        business_date,
        sku,
        avg(price_eur) as our_price_eur
    from ours
    group by business_date, sku
),

told as (
    select
        business_date as counts_from,
        rival,
        sku,
        max(seen_at) as seen_at,
        arg_max(comparable_price_eur, seen_at) as rival_price_eur,
        arg_max(fresh_until, seen_at) as fresh_until
    from competitor_prices
    group by business_date, rival, sku
),

-- A price that was told late, when a newer one was known already, changes nothing.
known as (
    select *
    from told
    qualify seen_at >= max(seen_at) over (partition by rival, sku order by counts_from)
),

rivals as (
    select distinct
        rival,
        sku
    from known
),

pairs as (
    select
        our_prices.business_date,
        our_prices.sku,
        our_prices.our_price_eur,
        rivals.rival
    from our_prices
    inner join rivals on our_prices.sku = rivals.sku
),

compared as (
    select
        pairs.business_date,
        pairs.sku,
        pairs.rival,
        pairs.our_price_eur,
        known.rival_price_eur,
        known.seen_at,
        known.fresh_until < pairs.business_date as is_stale
    from pairs
    asof inner join known
        on pairs.sku = known.sku and pairs.rival = known.rival and pairs.business_date >= known.counts_from
)

select
    compared.business_date,
    products.category,
    compared.sku,
    compared.rival,
    compared.our_price_eur,
    compared.rival_price_eur,
    case when not compared.is_stale then compared.our_price_eur / compared.rival_price_eur end as price_index,
    compared.is_stale,
    compared.seen_at
from compared
left join products on compared.sku = products.sku;

comment on view price_index is 'one business date, product and rival, and our price over theirs';
comment on column price_index.category is 'group of products; null of one that has left the shelf';
comment on column price_index.our_price_eur is 'mean of the opening prices of the stores, EUR';
comment on column price_index.rival_price_eur is 'price of as much at the rival, by what was known on that date, EUR';
comment on column price_index.price_index is
'our price over the rival''s: above 1 we are dearer; null where the rival''s price is stale, which is left out';
comment on column price_index.is_stale is 'whether the rival''s price counted no more on that date';
comment on column price_index.seen_at is 'when the rival''s price was seen, UTC';
