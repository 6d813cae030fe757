-- One row per step from a change in demand to new prices, the newest first: drift as it was seen, what was trained
-- since then and what the gate said, and the first price book of each champion.
with seen as (
    select
        business_date as date,
        1 as step,
        model_version as version,
        string_agg(sku, ', ' order by sku) as skus,
        max(since) as since,
        null::boolean as promoted
    from drift_checks
    where detected
    group by business_date, model_version
),

judged as (
    select
        judged_through as date,
        2 as step,
        version,
        null as skus,
        trained_since as since,
        promoted
    from model_versions
    where trained_since in (select seen.since from seen)
),

priced as (
    select
        min(booked_prices.business_date) as date,
        3 as step,
        booked_prices.model_version as version,
        null as skus,
        any_value(judged.since) as since,
        null::boolean as promoted
    from booked_prices
    inner join judged on booked_prices.model_version = judged.version
    group by booked_prices.model_version
),

steps as (
    select * from seen
    union all by name
    select * from judged
    union all by name
    select * from priced
)

select
    date,
    step,
    version,
    skus,
    since,
    promoted
from steps
order by date desc, step desc, version desc
limit $most;
