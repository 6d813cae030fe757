-- One row per scripted world, change and rule of the newest scorecard, means of its seeds.
with newest as (
    select max(played_at) as played_at
    from drift_results_history
)

select
    results.scenario,
    results.change,
    results.rule,
    count(*) as count_seeds,
    avg(results.days) as days,
    avg(results.false_alarms) as false_alarms,
    avg(results.detected_after_days) as detected_after_days,
    count(results.detected_after_days) as count_detected,
    avg(results.recovered_after_days) as recovered_after_days,
    count(results.recovered_after_days) as count_recovered,
    avg(results.lost_eur) as mean_lost_eur
from drift_results_history as results
inner join newest on results.played_at = newest.played_at
group by results.scenario, results.change, results.rule
order by results.scenario, results.change, mean_lost_eur, results.rule;
