-- One row per product and day, as its champion then saw it: how far purchases were from the champion's chances. A day
-- that two champions looked at is shown by the older one, who priced it; the days are those of the newest weeks.
with newest as (
    select max(business_date) as business_date
    from drift_checks
)

select
    checks.business_date,
    checks.sku,
    products.product_name,
    checks.model_version,
    checks.decisions,
    checks.mean_residual,
    checks.standard_error,
    checks.detected,
    checks.since,
    checks.direction
from drift_checks as checks
inner join products on checks.sku = products.sku
cross join newest
where checks.business_date > newest.business_date - $n_days
qualify
    row_number() over (
        partition by checks.business_date, checks.sku order by try_cast(checks.model_version as bigint)
    ) = 1
order by products.product_name, checks.business_date;
