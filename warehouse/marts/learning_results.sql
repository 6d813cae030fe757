-- The newest comparison; earlier ones are in learning_results_history.
create or replace view learning_results as
select *
from learning_results_history
where compared_at = (select max(compared_at) from learning_results_history);

comment on view learning_results is
'one policy in one scenario after learning from one log, scored exactly under true demand';
