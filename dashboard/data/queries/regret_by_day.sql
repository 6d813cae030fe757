-- One row per world, number of stores, learner and day: what was lost to the clairvoyant, all seeds together, and what
-- the product's prices came from on most of them.
select
    world,
    count_stores,
    learner,
    day,
    count(*) as count_seeds,
    1 - sum(gain_eur) / nullif(sum(clairvoyant_eur), 0) as lost_share,
    (sum(clairvoyant_eur) - sum(gain_eur)) / (count(*) * count_stores) as lost_eur,
    mode(priced_by) as priced_by,
    max(lived_at) as lived_at
from regret_by_day
group by world, count_stores, learner, day
order by world, count_stores, learner, day;
