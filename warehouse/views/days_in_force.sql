create or replace view days_in_force as
select *
from read_parquet('lake/days_in_force/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});
