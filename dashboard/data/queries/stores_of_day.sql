-- One row per store that sold something on a date.
select distinct store_id
from interactions
where business_date = $date
order by store_id;
