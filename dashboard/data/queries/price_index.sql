-- One row per rival and category on a date, and one for each rival as a whole, whose category is null: the geometric
-- mean of our prices over theirs, of how many products, and how many are left out because the price is stale.
select
    rival,
    category,
    exp(avg(ln(price_index))) as price_index,
    count(price_index) as count_products,
    count(*) filter (where is_stale) as count_stale
from price_index
where business_date = $date and category is not null
group by grouping sets ((rival, category), (rival))
order by rival asc, category asc nulls first;
