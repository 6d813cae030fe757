-- One row per policy, scenario, size of the log and seed, of the newest comparison.
-- Earlier ones are in policy_results_history.
create or replace view policy_results as
select
    scenario,
    policy,
    decisions,
    seed,
    store_days,
    revenue,
    share_of_clairvoyant,
    units,
    sell_outs,
    lost_sales,
    mean_price,
    repricings_per_day,
    compared_at
from policy_results_history
where compared_at = (select max(compared_at) from policy_results_history);

comment on view policy_results is 'one policy in one scenario with one seed, played on the same shoppers as the others';
