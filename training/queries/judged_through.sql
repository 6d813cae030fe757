-- At most one row: the newest model version that was judged through a business date, and whether the gate made it
-- champion.
select
    version,
    promoted
from model_versions
where judged_through = $through
order by version::bigint desc
limit 1;
