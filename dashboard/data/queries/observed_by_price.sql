-- One row per business date, product and price of the newest $n_dates dates that have demand curves: what was offered
-- and bought with stock on the shelf.
with priced_dates as (
    select distinct business_date
    from demand_curves_history
    order by business_date desc
    limit $n_dates
)

select
    business_date,
    sku,
    price_offered,
    sum(n_offered)::bigint as n_offered,
    sum(n_purchased)::bigint as n_purchased
from demand_cells
where business_date in (select business_date from priced_dates)
group by business_date, sku, price_offered
order by business_date, sku, price_offered;
