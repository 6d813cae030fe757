-- One row: how many store days had visits, or sales, over some days.
with store_days as (
    select
        store_id,
        business_date
    from closed_interactions
    where business_date between $first and $last
    union
    select
        store_id,
        business_date
    from unit_sales
    where business_date between $first and $last
)

select count(*) as count_store_days
from store_days;
