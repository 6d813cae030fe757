-- One row per world and seed: what the shipped policy and fixed prices earned, as shares of what perfect knowledge
-- earned from the same shoppers.
with lived as (
    select
        world || ', ' || count_stores as scenario,
        seed,
        max(day) as days,
        sum(gain_eur) filter (where learner = 'as_shipped')
        / sum(clairvoyant_eur) filter (where learner = 'as_shipped') as own_share,
        sum(gain_eur) filter (where learner = 'static')
        / sum(clairvoyant_eur) filter (where learner = 'static') as fixed_share
    from regret_by_day
    group by world, count_stores, seed
)

select
    scenario,
    seed,
    days,
    own_share,
    fixed_share
from lived
where own_share is not null and fixed_share > 0
order by scenario asc, seed asc;
