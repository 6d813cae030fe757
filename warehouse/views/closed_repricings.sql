-- Price decisions of days that are over. What is learned or checked by whole days is taken from here.
create or replace view closed_repricings as
select *
from read_parquet('lake/repricings/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});
