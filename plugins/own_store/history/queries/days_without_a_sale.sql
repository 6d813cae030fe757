-- Pairs that a store which was open sells at other times, at their last known price. Where the next price is another
-- one, either may have stood: the pair then has a row at each. `told` has pairs that sold or that another file knows.
with there as (
    select
        pairs.pair,
        pairs.store,
        pairs.product,
        last_prices.price,
        $date::integer as date
    from pairs
    inner join last_prices on pairs.pair = last_prices.pair
    where
        $date between pairs.first_date and pairs.last_date
        and pairs.store in (select open_shops.store from open_shops)
        and pairs.pair not in (select told.pair from told)
        and last_prices.price is not null
),

with_next as (
    select
        there.*,
        highest_prices.price as next_price
    from there
    asof left join highest_prices on there.pair = highest_prices.pair and there.date < highest_prices.date
)

select
    store,
    product,
    price,
    0 as place
from with_next
union all
select
    store,
    product,
    next_price as price,
    1 as place
from with_next
where next_price != price
order by place, store, product;
