-- One row per judged model version, the newest first, with every column of its contract. The champion is the version
-- the gate promoted last.
with judged as (
    select
        *,
        try_cast(version as bigint) as version_number,
        row_number() over (
            order by promoted desc, decided_at desc, try_cast(version as bigint) desc
        ) = 1 as is_first_by_promotion
    from model_versions
)

select
    * exclude (version_number, is_first_by_promotion),
    promoted and is_first_by_promotion as is_champion
from judged
order by decided_at desc, version_number desc;
