-- One row per world, learner, number of stores, seed and day, of the newest time each world was lived with so many
-- stores. Earlier ones are in regret_by_day_history.
create or replace view regret_by_day as
select
    world,
    learner,
    seed,
    count_stores,
    day,
    gain_eur,
    clairvoyant_eur,
    priced_by,
    model_version,
    judged_version,
    verdict,
    true_gain_eur,
    gain_lower_eur,
    gain_upper_eur,
    waste_eur,
    units,
    spoiled,
    lived_at
from regret_by_day_history
qualify lived_at = max(lived_at) over (partition by world, count_stores);

comment on view regret_by_day is
'one learner on one of the first days of a world with one seed, on the same shoppers as the others';
