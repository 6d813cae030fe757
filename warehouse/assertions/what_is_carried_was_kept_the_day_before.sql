-- A shelf opens with what was on it at the closing before, by last day of sale. Rows = failure. A store without
-- movements of the day before opened with a full shelf, and a product that has left the shelf carries nothing.
with today as (
    select
        business_date,
        store_id,
        sku,
        expires_on,
        units_carried
    from stock_movements
    where list_contains($business_dates, business_date)
),

day_before as (
    select
        (business_date + interval 1 day)::date as business_date,
        store_id,
        sku,
        expires_on,
        units_kept
    from stock_movements_before
    where list_contains($business_dates, (business_date + interval 1 day)::date)
),

told_before as (
    select distinct
        business_date,
        store_id
    from day_before
),

on_the_shelf as (
    select distinct
        today.business_date,
        today.store_id,
        today.sku
    from today
    inner join told_before on today.business_date = told_before.business_date and today.store_id = told_before.store_id
),

compared as (
    select
        business_date,
        store_id,
        sku,
        expires_on,
        units_carried,
        0 as units_kept
    from today
    union all
    select
        business_date,
        store_id,
        sku,
        expires_on,
        0 as units_carried,
        units_kept
    from day_before
)

select
    compared.business_date,
    compared.store_id,
    compared.sku,
    compared.expires_on,
    sum(compared.units_carried) as units_carried,
    sum(compared.units_kept) as units_kept_before
from compared
inner join on_the_shelf
    on
        compared.business_date = on_the_shelf.business_date
        and compared.store_id = on_the_shelf.store_id
        and compared.sku = on_the_shelf.sku
group by compared.business_date, compared.store_id, compared.sku, compared.expires_on
having sum(compared.units_carried) <> sum(compared.units_kept);
