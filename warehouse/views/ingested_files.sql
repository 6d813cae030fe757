create or replace view ingested_files as
select *
from read_parquet('lake/ingested_files/*.parquet');

comment on view ingested_files is 'one file that was ingested whole';
