-- One row per business date: how many stores were visited, also at an empty shelf, or sold units.
with visited as (
    select
        business_date,
        store_id
    from visits_of_stores
    where business_date between $first and $last
    union
    select
        business_date,
        store_id
    from unit_sales
    where $by_units and business_date between $first and $last
)

select
    business_date,
    count(*) as count_stores
from visited
group by business_date
order by business_date;
