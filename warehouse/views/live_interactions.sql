-- One row per decision of a day that is being sold. A live day that closed has become a batch, which carries the name
-- of its live partition and replaces it: so nothing is shown twice.
create or replace view live_interactions as
with closed as (
    select
        regexp_extract(file, 'business_date=([0-9-]+)', 1)::date as business_date,
        regexp_extract(file, 'part-live-(.+)[.]parquet$', 1) as store_id
    from glob('lake/interactions/*/part-live-*.parquet')
),

live as (
    select * from lake_by_day('lake/live_interactions/*/*.parquet')
)

select
    live.store_id,
    live.tick,
    live.seen_at,
    live.shopper_id,
    live.sku,
    live.product_name,
    live.price_offered,
    live.inventory_level,
    live.budget_multiplier,
    live.purchased,
    live.outcome,
    live.policy,
    live.propensity,
    live.model_version,
    live.business_date
from live
anti join closed on live.business_date = closed.business_date and live.store_id = closed.store_id;
