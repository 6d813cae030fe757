-- One row per store and product whose stock lives over days: how long what was on the shelf at the store's newest
-- closing would last, at the mean of the last seven dates, or of as many as there are.
create or replace view days_of_cover as
with newest as (
    select
        store_id,
        max(business_date) as business_date
    from stock_movements
    group by store_id
),

days as (
    select
        stock_movements.business_date,
        stock_movements.store_id,
        stock_movements.sku,
        newest.business_date as newest_date,
        sum(stock_movements.units_sold) as units_sold,
        sum(stock_movements.units_kept) as units_kept
    from stock_movements
    inner join newest on stock_movements.store_id = newest.store_id
    where stock_movements.business_date > newest.business_date - 7
    group by stock_movements.business_date, stock_movements.store_id, stock_movements.sku, newest.business_date
),

weeks as (
    select
        newest_date as business_date,
        store_id,
        sku,
        sum(units_kept) filter (where business_date = newest_date)::bigint as units_kept,
        avg(units_sold) as units_sold_a_day
    from days
    group by newest_date, store_id, sku
)

select
    business_date,
    store_id,
    sku,
    units_kept,
    units_sold_a_day,
    units_kept / nullif(units_sold_a_day, 0) as days_of_cover
from weeks
where units_kept is not null;

comment on view days_of_cover is 'one store and product, and how many days its stock would last';
comment on column days_of_cover.business_date is 'newest date of which the store has closed';
comment on column days_of_cover.units_kept is 'units on the shelf after its closing';
comment on column days_of_cover.units_sold_a_day is 'mean units sold a day over its last seven dates';
comment on column days_of_cover.days_of_cover is
'units kept over units sold a day, days; null where none were sold. Some may spoil before';
