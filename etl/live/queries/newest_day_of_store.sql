-- One row: the newest date on which a store has decisions, closed or still being sold.
select max(business_date) as business_date
from interactions
where store_id = $store_id;
