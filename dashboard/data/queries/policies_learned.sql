-- One row per scenario, policy and size of the log in the newest comparison: the share of the clairvoyant, exact under
-- true demand, averaged over seeds. No decisions means that the policy was told the true demand.
select
    scenario,
    policy,
    decisions,
    count(*) as count_seeds,
    avg(share_of_clairvoyant) as share,
    stddev_samp(share_of_clairvoyant) as share_sd
from learning_results
group by scenario, policy, decisions
order by scenario, policy, decisions;
