-- One row per business date: how many decisions met stock.
select
    business_date,
    sum(n_offered)::bigint as count_decisions
from demand_cells
where business_date between $first and $through
group by business_date
order by business_date;
