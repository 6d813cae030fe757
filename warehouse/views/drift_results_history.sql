create or replace view drift_results_history as
select *
from read_parquet('lake/drift_results/*.parquet');
