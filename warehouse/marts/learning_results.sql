-- One row per policy, scenario, size of the log and seed, of the newest comparison.
-- Earlier ones are in learning_results_history.
create or replace view learning_results as
select
    scenario,
    policy,
    decisions,
    seed,
    share_of_clairvoyant,
    compared_at
from learning_results_history
where compared_at = (select max(compared_at) from learning_results_history);

comment on view learning_results is
'one policy in one scenario after learning from one log, scored exactly under true demand';
