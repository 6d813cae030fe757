-- One row per price decision of a day that is being sold. A live day that closed has become a batch, which carries
-- the name of its live part and takes its place: so nothing is shown twice.
create or replace view live_repricings as
with closed as (
    select
        regexp_extract(file, 'business_date=([0-9-]+)', 1)::date as business_date,
        regexp_extract(file, 'part-live-(.+)[.]parquet$', 1) as store_id
    from glob('lake/repricings/*/part-live-*.parquet')
),

parts as (
    select * from lake_by_day('lake/live_repricings/*/*.parquet')
)

select
    parts.store_id,
    parts.tick,
    parts.decided_at,
    parts.sku,
    parts.old_price,
    parts.new_price,
    parts.unconstrained_price,
    parts.inventory_level,
    parts.p_sale,
    parts.expected_revenue,
    parts.unit_value,
    parts.clamps,
    parts.clamp_cost,
    parts.binding_rule,
    parts.explored,
    parts.policy,
    parts.model_version,
    parts.reason,
    parts.business_date
from parts
anti join closed on parts.business_date = closed.business_date and parts.store_id = closed.store_id;
