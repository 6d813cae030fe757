-- Every promotion, those that begin last first.
select
    change,
    state,
    sku,
    store_id,
    starts_at,
    ends_at,
    price_eur,
    prior_price_eur,
    share_reduced,
    planned_by,
    reason,
    count_store_days,
    count_units,
    revenue_eur,
    profit_eur,
    gained_eur
from promotion_calendar
order by starts_at desc, change asc;
