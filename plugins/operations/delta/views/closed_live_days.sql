-- One row per closed live day of a store and table of decisions.
create or replace view closed_live_days as
with files as (
    select unnest(getvariable('lake_files')['closed_live_days']::varchar []) as file
)

select
    regexp_extract(file, '([a-z_]+)/business_date=', 1) as table_name,
    regexp_extract(file, 'business_date=([0-9-]+)', 1)::date as business_date,
    regexp_extract(file, 'part-live-(.+)[.][0-9a-f]+[.]parquet$', 1) as store_id
from files;

comment on view closed_live_days is 'one live day of a store that has closed, for each table of decisions';
comment on column closed_live_days.table_name is 'the table';
comment on column closed_live_days.business_date is 'the day';
comment on column closed_live_days.store_id is 'the store';
