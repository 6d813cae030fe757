-- One row per business date: its visits and its stores, also visits to an empty shelf. Of unit sales the chances to
-- sell a unit count as visits.
with visits as (
    select
        business_date,
        store_id,
        count_visits
    from visits_of_stores
    where business_date between $first and $last
    union all
    select
        business_date,
        store_id,
        sum(chances)::bigint as count_visits
    from unit_sales
    where $by_units and business_date between $first and $last
    group by business_date, store_id
)

select
    business_date,
    sum(count_visits)::bigint as count_visits,
    count(distinct store_id) as count_stores
from visits
group by business_date
order by business_date;
