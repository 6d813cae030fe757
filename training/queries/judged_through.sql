-- At most one row: the newest model version that was judged through a business date, whether the gate made it champion,
-- and what was said of it.
select
    version,
    promoted,
    said
from model_versions
where judged_through = $through
order by version::bigint desc
limit 1;
