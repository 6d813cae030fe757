-- One row per business date: its visits and its stores, also visits to an empty shelf.
select
    business_date,
    count(*) as count_visits,
    count(distinct store_id) as count_stores
from closed_interactions
where business_date between $first and $last
group by business_date
order by business_date;
