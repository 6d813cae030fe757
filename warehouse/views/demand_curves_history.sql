create or replace view demand_curves_history as
select *
from read_parquet('lake/demand_curves/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});
