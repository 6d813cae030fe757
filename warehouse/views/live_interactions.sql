-- Decisions of days that are being sold. A live day that closed has become a batch, which carries the name of
-- its live part and takes its place: so nothing is shown twice.
create or replace view live_interactions as
with closed as (
    select
        regexp_extract(file, 'business_date=([0-9-]+)', 1)::date as business_date,
        regexp_extract(file, 'part-live-(.+)[.]parquet$', 1) as store_id
    from glob('lake/interactions/*/part-live-*.parquet')
),

parts as (
    select *
    from read_parquet(
        'lake/live_interactions/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date}
    )
)

select parts.*
from parts
anti join closed on parts.business_date = closed.business_date and parts.store_id = closed.store_id;

comment on view live_interactions is
'one shopper who considered one product on a day that is still being sold; part of interactions';
