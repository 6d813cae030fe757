-- A shelf opens with what was on it at the closing before. Rows = failure. A store without movements of the day before
-- opened with a full shelf, and a product that has left the shelf carries nothing. Last days of sale are not compared:
-- they come nearer where a product's shelf life is made shorter.
with today as (
    select
        business_date,
        store_id,
        sku,
        sum(units_carried) as units_carried
    from stock_movements
    where list_contains($business_dates, business_date)
    group by business_date, store_id, sku
),

day_before as (
    select
        (business_date + interval 1 day)::date as business_date,
        store_id,
        sku,
        sum(units_kept) as units_kept
    from stock_movements_before
    where list_contains($business_dates, (business_date + interval 1 day)::date)
    group by business_date, store_id, sku
),

told_before as (
    select distinct
        business_date,
        store_id
    from day_before
)

select
    today.business_date,
    today.store_id,
    today.sku,
    today.units_carried,
    coalesce(day_before.units_kept, 0) as units_kept_before
from today
inner join told_before on today.business_date = told_before.business_date and today.store_id = told_before.store_id
left join day_before
    on
        today.business_date = day_before.business_date
        and today.store_id = day_before.store_id
        and today.sku = day_before.sku
where today.units_carried <> coalesce(day_before.units_kept, 0);
