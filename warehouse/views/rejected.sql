create or replace view rejected as
select *
from read_parquet('lake/rejected/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});

comment on view rejected is 'one bad row that was kept out';
