-- What a file says about a store's day, in one row: `hours` are visits or units by hour of the day, UTC, where more
-- than days is known.
with by_hour as (
    select
        seen_at // 3600000000 % 24 as hour_of_day,
        sum(case when $is_sales then greatest(units, 0) else 1 end)::double as weight
    from staged
    where not $has_hours or hour_of_row >= 0
    group by hour_of_day
),

sold as (
    select sum(units) as units
    from staged
    where $is_sales and units > 0
    group by product, store, date
)

select
    (select count(*) from staged) as count_rows,
    (select count(distinct row(store, date)) from staged) as count_store_days,
    (select list([hour_of_day, weight] order by hour_of_day) from by_hour) as hours,
    (select avg(units) from sold) as units_a_sale,
    (select bool_and(price_offered = round(price_offered)) from prices) as are_whole,
    (select count(distinct price_offered) from prices) as count_prices;
