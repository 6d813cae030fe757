-- One row per scripted world, change and rule of the newest scorecard, means of its seeds.
select
    scenario,
    change,
    rule,
    count(*) as count_seeds,
    avg(days) as mean_days,
    avg(false_alarms) as mean_false_alarms,
    avg(detected_after_days) as mean_detected_after_days,
    count(detected_after_days) as count_detected,
    avg(recovered_after_days) as mean_recovered_after_days,
    count(recovered_after_days) as count_recovered,
    avg(lost_eur) as mean_lost_eur
from drift_results
group by scenario, change, rule
order by scenario, change, mean_lost_eur, rule;
