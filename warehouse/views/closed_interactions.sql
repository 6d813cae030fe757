-- Decisions of days that are over. What is learned or checked by whole days is taken from here.
create or replace view closed_interactions as
select *
from read_parquet('lake/interactions/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});

comment on view closed_interactions is 'one shopper who considered one product, on a day that is over';
