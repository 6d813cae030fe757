create or replace view demand_cells as
select *
from read_parquet('lake/demand_cells/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});

comment on view demand_cells is
'one demand cell of a partition: a distinct feature vector; decisions at an empty shelf are left out';
