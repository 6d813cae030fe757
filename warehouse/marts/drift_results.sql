-- The newest scorecard of scripted changes; earlier ones are in drift_results_history.
create or replace view drift_results as
select *
from drift_results_history
where played_at = (select max(played_at) from drift_results_history);
