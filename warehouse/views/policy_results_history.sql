create or replace view policy_results_history as
select *
from read_parquet('lake/policy_results/*.parquet');
