-- The newest comparison; earlier ones are in policy_results_history.
create or replace view policy_results as
select *
from policy_results_history
where compared_at = (select max(compared_at) from policy_results_history);

comment on view policy_results is 'one policy in one scenario with one seed, played on the same shoppers as the others';
