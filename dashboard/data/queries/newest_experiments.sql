-- The newest experiments, each with what its coin has told so far.
with told as (
    select
        number,
        max(through) as told_through,
        count(*) as count_looked_at,
        list(sku order by sku) filter (where is_told) as told,
        list(slope order by sku) filter (where is_told) as slopes,
        list(low order by sku) filter (where is_told) as lows,
        list(high order by sku) filter (where is_told) as highs,
        list(sku order by sku) filter (where carry is not null) as carried
    from experiment_outcomes
    group by number
)

select
    e.number,
    e.starts,
    e.through,
    e.step,
    e.products,
    e.reason,
    e.asked_by,
    e.withdrawn_from,
    e.withdrawn_by,
    e.withdrawn_reason,
    t.told_through,
    t.count_looked_at,
    t.told,
    t.slopes,
    t.lows,
    t.highs,
    t.carried
from experiments as e
left join told as t on e.number = t.number
order by e.number desc
limit $most
