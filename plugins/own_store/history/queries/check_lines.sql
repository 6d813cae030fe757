-- One row per line of sales of a date, with the first reason against it, null for none. A line that sold nothing and
-- names no price has the last one of its product and store before it, or else the next one.
-- On one receipt, equal lines that stand together are purchases: a till that scans a product twice prints it twice.
-- Where the receipt comes again later in the file, its lines are repeats. Without the number of a receipt, two equal
-- lines are two purchases.
with lines as (
    select
        staged.line,
        coalesce(pairs.pair, -1) as pair,
        shops.code as store,
        coalesce(shelf.place, -1) as product,
        staged.seen_at,
        staged.hour_of_row as hour,
        staged.units,
        coalesce(
            staged.price_offered,
            last_value(staged.price_offered ignore nulls) over before,
            last_prices.price,
            first_value(staged.price_offered ignore nulls) over after
        ) as price,
        staged.receipt,
        staged.traffic,
        staged.inventory_level as stock,
        staged.hour_of_row::integer * 60 as minute
    from staged
    inner join shops on staged.store = shops.store
    left join shelf on staged.product = shelf.product
    left join pairs on shops.code = pairs.store and shelf.place = pairs.product
    left join last_prices on pairs.pair = last_prices.pair
    where staged.date = $date
    window
        before as (
            partition by staged.store, staged.product order by staged.hour_of_row, staged.line
            rows between unbounded preceding and 1 preceding
        ),
        after as (
            partition by staged.store, staged.product order by staged.hour_of_row, staged.line
            rows between 1 following and unbounded following
        )
),

checked as (
    select
        * exclude (minute),
        case
            when $is_receipts and units = 0 then 'the line sells no unit'
            when product < 0 then 'the product is not in the catalog'
            when seen_at > $not_after then 'the time is in the future'
            when not coalesce(abs(units) < 1e6, false) then 'the units are not a number below a million'
            when price is null then 'no unit was sold, and nothing tells the price'
            when not (price > 0 and price < 1e6) then 'the price is not a positive finite number'
            when hour >= 0 and (minute + 60 <= $opens or minute >= $ends)
                then 'the time is outside the opening hours'
            when not (stock >= 0 and isfinite(stock)) then 'the stock is negative'
            when not (traffic >= 0 and isfinite(traffic)) then 'the traffic is negative'
        end as reason
    from lines
),

stands as (
    select
        *,
        reason is null
        and (
            receipt is distinct from lag(receipt) over in_order
            or store is distinct from lag(store) over in_order
        ) as is_another
    from checked
    window in_order as (partition by reason is null order by line)
),

numbered as (
    select
        *,
        sum(is_another::integer) over (partition by reason is null order by line) as block
    from stands
),

compared as (
    select
        *,
        row_number() over (partition by reason is null, pair, hour, price, units < 0 order by line) as place_at_price,
        row_number() over (partition by reason is null, pair, hour, price, units order by line) as place_of_equal,
        first_value(block) over (
            partition by reason is null, pair, seen_at, receipt, price, units order by line
        ) as first_block
    from numbered
)

select
    line,
    pair,
    store,
    product,
    hour,
    units,
    price,
    receipt,
    traffic,
    stock,
    case
        when reason is not null then reason
        when $is_receipts then case when receipt is not null and block != first_block then $repeats end
        when place_of_equal > 1 then $repeats
        when place_at_price > 1 then 'an earlier row says other units for its store, product, time and price'
    end as reason
from compared
order by line;
