create or replace view repricings as
select *
from read_parquet('lake/repricings/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});
