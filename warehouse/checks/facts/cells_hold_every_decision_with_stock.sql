-- Grouping into demand cells loses and invents nothing. Rows = failure. Cells outlive decisions that were damaged and
-- set aside, so a date with cells of a batch whose decisions are not there is left out.
with incomplete as (
    select unnest($dates_without_decisions) as business_date
),

decisions as (
    select
        business_date,
        sku,
        sum(count_visits) as count_offered,
        sum(count_purchased) as count_purchased
    from decided
    where is_met and policy <> 'owner'
    group by business_date, sku
    union all
    select
        business_date,
        sku,
        sum(chances) as count_offered,
        sum(round(units)) as count_purchased
    from unit_sales
    where
        list_contains($business_dates, business_date)
        and stock is distinct from 0
        and not is_sudden_zero
        and chances > 0
    group by business_date, sku
),

of_product as (
    select
        business_date,
        sku,
        sum(count_offered) as count_offered,
        sum(count_purchased) as count_purchased
    from decisions
    group by business_date, sku
),

cells as (
    select
        business_date,
        sku,
        sum(n_offered) as count_offered,
        sum(n_purchased) as count_purchased
    from demand_cells
    where list_contains($business_dates, business_date)
    group by business_date, sku
)

select
    coalesce(of_product.business_date, cells.business_date) as business_date,
    coalesce(of_product.sku, cells.sku) as sku,
    of_product.count_offered as count_in_decisions,
    cells.count_offered as count_in_cells
from of_product
full join cells
    on of_product.business_date = cells.business_date and of_product.sku = cells.sku
where
    coalesce(of_product.business_date, cells.business_date) not in (select business_date from incomplete)
    and (
        of_product.count_offered is distinct from cells.count_offered
        or of_product.count_purchased is distinct from cells.count_purchased
    );
