create or replace view policy_results_history as
select *
from read_parquet('lake/policy_results/*.parquet');

comment on view policy_results_history is
'one policy in one scenario with one seed, played on the same shoppers as the others, in each comparison';
