-- Grouping into demand cells loses and invents nothing. Rows = failure.
with decisions as (
    select
        business_date,
        sku,
        count(*) as count_offered,
        count(*) filter (where purchased) as count_purchased
    from decisions_with_stock
    where list_contains($business_dates, business_date)
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
    coalesce(decisions.business_date, cells.business_date) as business_date,
    coalesce(decisions.sku, cells.sku) as sku,
    decisions.count_offered as count_in_decisions,
    cells.count_offered as count_in_cells
from decisions
full join cells
    on decisions.business_date = cells.business_date and decisions.sku = cells.sku
where
    decisions.count_offered is distinct from cells.count_offered
    or decisions.count_purchased is distinct from cells.count_purchased;
