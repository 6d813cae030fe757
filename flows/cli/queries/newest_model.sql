-- At most one row: the newest judged model version, with the scores of every candidate it stood beside.
select
    version,
    candidate as best,
    promoted,
    candidates
from model_versions
order by judged_through desc, version::bigint desc
limit 1;
