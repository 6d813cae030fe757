create or replace view demand_curves_history as
select *
from read_parquet('lake/demand_curves/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});

comment on view demand_curves_history is
'one candidate price of one product, as the champion sees it, for each business date';
