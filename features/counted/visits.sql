-- The visits of every decision of a day that is over, whether its partition is counted or not: those that are not yet
-- are counted here. Who opens a connection says which are which, see features/visit_counts.py.
create or replace view visits as
select
    business_date,
    sku,
    tick,
    price_offered,
    is_external,
    count_visits,
    count_met,
    count_bought
from current_visit_counts
union all
select
    business_date,
    sku,
    tick,
    price_offered,
    is_external,
    count_visits,
    count_met,
    count_bought
from count_visits(uncounted_interactions);

create or replace view visits_of_stores as
select
    business_date,
    store_id,
    count_visits
from current_store_visits
union all
select
    business_date,
    store_id,
    count_visits
from count_visits_of_stores(uncounted_interactions);

create or replace view visits_in_context as
select
    business_date,
    store_id,
    hour_utc,
    sku,
    price_offered,
    is_external,
    count_met,
    count_bought
from current_context_counts
union all
select
    business_date,
    store_id,
    hour_utc,
    sku,
    price_offered,
    is_external,
    count_met,
    count_bought
from count_in_context(uncounted_interactions);
