create or replace view drift_checks as
select *
from read_parquet('lake/drift_checks/*/*.parquet', hive_partitioning = true, hive_types = {'business_date': date});

comment on view drift_checks is 'one product on one day since the training of one model version, seen as its champion';
