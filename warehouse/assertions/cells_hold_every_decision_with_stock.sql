-- Grouping into demand cells loses and invents nothing. Rows = failure.
with decisions as (
    select
        business_date,
        sku,
        count(*) as n_offered,
        count(*) filter (where purchased) as n_purchased
    from closed_interactions
    where list_contains($business_dates, business_date) and inventory_level is distinct from 0
    group by business_date, sku
),

cells as (
    select
        business_date,
        sku,
        sum(n_offered) as n_offered,
        sum(n_purchased) as n_purchased
    from demand_cells
    where list_contains($business_dates, business_date)
    group by business_date, sku
)

select
    coalesce(decisions.business_date, cells.business_date) as business_date,
    coalesce(decisions.sku, cells.sku) as sku,
    decisions.n_offered as offered_in_decisions,
    cells.n_offered as offered_in_cells
from decisions
full join cells
    on decisions.business_date = cells.business_date and decisions.sku = cells.sku
where
    decisions.n_offered is distinct from cells.n_offered
    or decisions.n_purchased is distinct from cells.n_purchased;
