create or replace view interactions as
select *
from read_parquet('lake/interactions/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});
