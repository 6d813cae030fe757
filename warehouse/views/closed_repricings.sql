-- Price decisions of days that are over. What is learned or checked by whole days is taken from here.
create or replace view closed_repricings as
select *
from read_parquet('lake/repricings/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});

comment on view closed_repricings is 'one price decision: an opening or a change, on a day that is over';
