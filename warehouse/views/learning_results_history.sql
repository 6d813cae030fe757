create or replace view learning_results_history as
select *
from read_parquet('lake/learning_results/*.parquet');
