-- One row: how many decisions of one store and date are in closed batches.
select count(*) as count_decisions
from closed_interactions
where business_date = $business_date and store_id = $store_id;
