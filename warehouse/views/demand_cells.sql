create or replace view demand_cells as
select *
from read_parquet('lake/demand_cells/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});
