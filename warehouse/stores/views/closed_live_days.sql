-- One row per closed live day of a store and table of decisions.
create or replace view closed_live_days as
select
    regexp_extract(file, 'lake/([a-z_]+)/', 1) as table_name,
    regexp_extract(file, 'business_date=([0-9-]+)', 1)::date as business_date,
    regexp_extract(file, 'part-live-(.+)[.]parquet$', 1) as store_id
from glob(['lake/interactions/*/part-live-*.parquet', 'lake/repricings/*/part-live-*.parquet']);

comment on view closed_live_days is 'one live day of a store that has closed, for each table of decisions';
comment on column closed_live_days.table_name is 'the table';
comment on column closed_live_days.business_date is 'the day';
comment on column closed_live_days.store_id is 'the store';
