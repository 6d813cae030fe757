-- One row per scenario, rule, seed and change, of the newest scorecard of scripted changes.
-- Earlier ones are in drift_results_history.
create or replace view drift_results as
select
    scenario,
    rule,
    seed,
    change,
    days,
    false_alarms,
    detected_after_days,
    decisions,
    recovered_after_days,
    lost_eur,
    played_at
from drift_results_history
where played_at = (select max(played_at) from drift_results_history);

comment on view drift_results is 'one rule''s score for one change of a scripted world with one seed';
