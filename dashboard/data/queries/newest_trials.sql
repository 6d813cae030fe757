-- One row per trial, the newest first: what B earned more than A in a store day, and what the plan had promised.
select
    trial,
    a,
    b,
    unit,
    start_date,
    days,
    count_stores,
    count_pairs,
    objective,
    detectable,
    a_eur,
    effect_eur,
    low_eur,
    high_eur,
    p_value,
    verdict,
    played_at
from trials
order by played_at desc, trial asc
limit 20;
