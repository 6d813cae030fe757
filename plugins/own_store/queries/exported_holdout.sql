-- One row: how many held-out decisions and unit sales met a price that somebody else set.
with exported as (
    select sum(count_visits) as count_rows
    from visits
    where is_external and business_date > $trained_through and business_date <= $judged_through
    union all
    select count(*) as count_rows
    from unit_sales
    where business_date > $trained_through and business_date <= $judged_through
)

select sum(count_rows)::bigint as count_exported
from exported;
