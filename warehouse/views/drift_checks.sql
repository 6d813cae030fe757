create or replace view drift_checks as
select *
from read_parquet('lake/drift_checks/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});
