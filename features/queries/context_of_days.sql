-- One row per store day that is asked for (the relation `store_days_asked`), with what is known of it.
select * -- noqa: AM04
from context_of_days(store_days_asked)
order by business_date, store_id;
