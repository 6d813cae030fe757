-- One row per decision of a day that is being sold. A live day that closed has become a batch, which carries the name
-- of its live part and takes its place: so nothing is shown twice.
create or replace view live_interactions as
with closed as (
    select
        regexp_extract(file, 'business_date=([0-9-]+)', 1)::date as business_date,
        regexp_extract(file, 'part-live-(.+)[.]parquet$', 1) as store_id
    from glob('lake/interactions/*/part-live-*.parquet')
),

parts as (
    select * from lake_by_day('lake/live_interactions/*/*.parquet')
)

select
    parts.store_id,
    parts.tick,
    parts.seen_at,
    parts.shopper_id,
    parts.sku,
    parts.product_name,
    parts.price_offered,
    parts.inventory_level,
    parts.budget_multiplier,
    parts.purchased,
    parts.outcome,
    parts.policy,
    parts.propensity,
    parts.model_version,
    parts.business_date
from parts
anti join closed on parts.business_date = closed.business_date and parts.store_id = closed.store_id;
