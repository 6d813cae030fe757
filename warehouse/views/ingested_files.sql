create or replace view ingested_files as
select *
from read_parquet('lake/ingested_files/*.parquet');
