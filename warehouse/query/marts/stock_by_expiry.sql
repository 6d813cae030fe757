-- One row per store, product and last date of sale of the units on the shelf after the store's newest closing.
create or replace view stock_by_expiry as
with newest as (
    select
        store_id,
        max(business_date) as business_date
    from stock_movements
    group by store_id
)

select
    stock_movements.business_date,
    stock_movements.store_id,
    stock_movements.sku,
    stock_movements.expires_on,
    (stock_movements.expires_on - stock_movements.business_date)::int as days_left,
    stock_movements.units_kept
from stock_movements
inner join newest
    on stock_movements.store_id = newest.store_id and stock_movements.business_date = newest.business_date
where stock_movements.units_kept > 0;

comment on view stock_by_expiry is
'one store, product and last date of sale of the units on the shelf after the newest closing';
comment on column stock_by_expiry.business_date is 'newest date of which the store has closed';
comment on column stock_by_expiry.expires_on is 'last date on which they may be sold; null keeps for ever';
comment on column stock_by_expiry.days_left is
'days on which they may still be sold, from the next day on; null keeps for ever';
comment on column stock_by_expiry.units_kept is 'units on the shelf after closing';
