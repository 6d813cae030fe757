create or replace view days_in_force as
select *
from read_parquet('lake/days_in_force/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});

comment on view days_in_force is
'what priced one batch from one tick on: one row, or one for each stretch of a live day whose prices changed';
