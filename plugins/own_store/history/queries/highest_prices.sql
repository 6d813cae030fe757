-- The highest price of each pair and date with a sale: others of that day are for some shoppers alone.
create or replace table highest_prices as
select
    pairs.pair,
    staged.date,
    max(staged.price_offered) as price
from staged
inner join shops on staged.store = shops.store
inner join shelf on staged.product = shelf.product
inner join pairs on shops.code = pairs.store and shelf.place = pairs.product
where staged.units > 0
group by pairs.pair, staged.date;
