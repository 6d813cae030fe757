-- Each purchase takes one unit off the shelf, and nothing else counts as sold. Rows = failure. A product without
-- movements has a shelf that is simply full at each opening. A date with movements of a batch whose decisions are not
-- there is left out, and so is what an outside store told: its tills say what it sold.
with incomplete as (
    select unnest($dates_without_decisions) as business_date
),

moved as (
    select
        business_date,
        store_id,
        sku,
        sum(units_sold) as units_sold
    from stock_movements
    where list_contains($business_dates, business_date) and is_estimated is null
    group by business_date, store_id, sku
),

sold as (
    select
        business_date,
        store_id,
        sku,
        count_purchased
    from decided
    union all
    select
        business_date,
        store_id,
        sku,
        1 as count_purchased
    from substitutions
    where list_contains($business_dates, business_date)
),

bought as (
    select
        business_date,
        store_id,
        sku,
        sum(count_purchased) as count_purchased
    from sold
    group by business_date, store_id, sku
)

select
    moved.business_date,
    moved.store_id,
    moved.sku,
    moved.units_sold,
    coalesce(bought.count_purchased, 0) as count_purchased
from moved
left join bought
    on
        moved.business_date = bought.business_date
        and moved.store_id = bought.store_id
        and moved.sku = bought.sku
where
    moved.business_date not in (select business_date from incomplete)
    and moved.units_sold <> coalesce(bought.count_purchased, 0);
