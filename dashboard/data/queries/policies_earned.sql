-- One row per world or scenario and seed: what the shipped policy and fixed prices earned, as shares of what perfect
-- knowledge earned from the same shoppers. Lived days have the gate and the nights in them, comparisons have not.
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
),

compared as (
    select
        scenario,
        seed,
        max(store_days) as days,
        max(share_of_clairvoyant) filter (where policy = 'stock_aware') as own_share,
        max(share_of_clairvoyant) filter (where policy = 'static') as fixed_share
    from policy_results
    group by scenario, seed
),

earned as (
    select
        true as is_lived,
        *
    from lived
    union all
    select
        false as is_lived,
        *
    from compared
)

select
    is_lived,
    scenario,
    seed,
    days,
    own_share,
    fixed_share
from earned
where own_share is not null and fixed_share > 0
order by is_lived desc, scenario asc, seed asc;
