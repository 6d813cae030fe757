-- One row per judged model version, the newest first, with every column of its contract. The registry counts versions
-- up as they are judged; the champion is the version that the gate promoted last.
with judged as (
    select
        *,
        row_number() over (
            order by promoted desc, try_cast(version as bigint) desc
        ) = 1 as leads
    from model_versions
)

select
    * exclude (leads),
    promoted and leads as is_champion
from judged
order by try_cast(version as bigint) desc;
