-- One row per scenario and policy of the newest comparison: means over seeds of what a store day brings. What is left
-- on the table is paired: the clairvoyant met the same shoppers.
with clairvoyant as (
    select
        scenario,
        decisions,
        seed,
        revenue
    from policy_results
    where policy = 'clairvoyant'
),

paired as (
    select
        played.scenario,
        played.policy,
        played.decisions,
        played.store_days,
        played.share_of_clairvoyant,
        played.mean_price,
        played.repricings_per_day,
        played.compared_at,
        played.revenue / played.store_days as revenue_per_day_eur,
        played.units / played.store_days as units_per_day,
        played.sell_outs / played.store_days as sell_outs_per_day,
        played.lost_sales / played.store_days as lost_sales_per_day,
        (clairvoyant.revenue - played.revenue) / played.store_days as left_per_day_eur
    from policy_results as played
    left join clairvoyant
        on
            played.scenario = clairvoyant.scenario
            and played.decisions = clairvoyant.decisions
            and played.seed = clairvoyant.seed
)

select
    scenario,
    policy,
    max(decisions) as decisions,
    max(store_days) as store_days,
    max(compared_at) as compared_at,
    count(*) as count_seeds,
    avg(share_of_clairvoyant) as share,
    stddev_samp(share_of_clairvoyant) as share_sd,
    avg(revenue_per_day_eur) as revenue_eur,
    avg(left_per_day_eur) as left_eur,
    stddev_samp(left_per_day_eur) as left_sd_eur,
    avg(units_per_day) as units_per_day,
    avg(sell_outs_per_day) as sell_outs_per_day,
    avg(lost_sales_per_day) as lost_sales_per_day,
    avg(mean_price) as mean_price_eur,
    avg(repricings_per_day) as repricings_per_day
from paired
group by scenario, policy
order by scenario, policy;
