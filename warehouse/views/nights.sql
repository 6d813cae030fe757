create or replace view nights as
select *
from read_parquet('lake/nights/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});

comment on view nights is 'the night after one business date, once it is done';
