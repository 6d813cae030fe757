-- One row per judged model version, the newest first, with every column of its contract. The newest change of champion
-- says which version prices; without any on record, it is the version that the gate promoted last.
with changes as (
    select
        max_by(version, change) as champion,
        list(version) as versions
    from champions
),

judged as (
    select
        *,
        row_number() over (
            order by promoted desc, try_cast(version as bigint) desc
        ) = 1 as leads
    from model_versions
)

select
    judged.* exclude (leads),
    coalesce(judged.version = changes.champion, judged.promoted and judged.leads) as is_champion,
    coalesce(list_contains(changes.versions, judged.version), false) or judged.promoted as was_champion
from judged
cross join changes
order by try_cast(judged.version as bigint) desc;
