-- One row per change of champion, the newest first, with what the version earned while it priced.
select
    change,
    version,
    previous,
    action,
    decided_by,
    decided_at,
    reason,
    prices_from,
    priced_through,
    count_store_days,
    revenue_eur
from champion_history
order by change desc;
