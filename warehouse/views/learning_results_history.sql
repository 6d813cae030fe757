create or replace view learning_results_history as
select *
from read_parquet('lake/learning_results/*.parquet');

comment on view learning_results_history is
'one policy in one scenario after learning from one log, scored exactly under true demand, in each comparison';
