-- One row per business date and product: its visits in all stores, also to an empty shelf. Of unit sales the chances to
-- sell a unit count as visits.
with visited as (
    select
        business_date,
        sku,
        count_visits
    from visits
    where business_date between $first and $last
    union all
    select
        business_date,
        sku,
        chances as count_visits
    from unit_sales
    where $by_units and business_date between $first and $last
)

select
    business_date,
    sku,
    sum(count_visits)::double as count_visits
from visited
group by business_date, sku;
