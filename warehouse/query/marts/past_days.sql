-- One row per batch of a business date and change of its prices: what was in force, and the fingerprints of its data.
-- Batches that were not played here, such as ingested ones, are known by their data alone.
create or replace view past_days as
with by_batch as (
    select
        business_date,
        batch,
        max(sha256) filter (where table_name = 'interactions') as decisions_sha256,
        max(sha256) filter (where table_name = 'repricings') as repricings_sha256,
        max(sha256) filter (where table_name = 'demand_cells') as cells_sha256,
        max(count_rows) filter (where table_name = 'interactions') as count_decisions
    from receipts
    group by business_date, batch
)

select
    coalesce(by_batch.business_date, days_in_force.business_date) as business_date,
    coalesce(by_batch.batch, days_in_force.batch) as batch,
    days_in_force.since,
    days_in_force.stores,
    days_in_force.seed,
    days_in_force.catalog,
    days_in_force.policy,
    days_in_force.model_version,
    days_in_force.book_made_for,
    days_in_force.book_sha256,
    days_in_force.code_version,
    by_batch.count_decisions,
    by_batch.decisions_sha256,
    by_batch.repricings_sha256,
    by_batch.cells_sha256
from by_batch
full join days_in_force
    on by_batch.business_date = days_in_force.business_date and by_batch.batch = days_in_force.batch;

comment on view past_days is 'one batch of a business date and change of its prices, with the fingerprints of its data';
comment on column past_days.batch is 'name of the batch';
comment on column past_days.count_decisions is 'decisions in the batch';
comment on column past_days.decisions_sha256 is 'SHA-256 of the decisions';
comment on column past_days.repricings_sha256 is 'SHA-256 of the price decisions';
comment on column past_days.cells_sha256 is 'SHA-256 of the demand cells';
comment on column past_days.since is 'first tick that was priced so, ticks since opening';
comment on column past_days.seed is 'seed of the world';
comment on column past_days.policy is 'name of the policy that set the prices';
comment on column past_days.model_version is 'registered model version behind the price; null without';
