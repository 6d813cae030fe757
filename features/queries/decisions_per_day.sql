-- How many decisions with stock each day holds.
select
    business_date,
    sum(n_offered)::bigint as n_offered
from demand_cells
where business_date between $first and $through
group by business_date
order by business_date;
