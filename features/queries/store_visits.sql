-- One row per store of the decisions of one partition (the view `sold`), with its visits.
with decisions as (
    select store_id from sold
)

select
    store_id,
    count_visits
from count_visits_of_stores(decisions)
order by store_id;
