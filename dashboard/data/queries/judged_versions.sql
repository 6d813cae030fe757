-- One row per judged model version, the newest first. The newest change of champion
-- says which version prices; without any on record, it is the version that the gate promoted last.
with changes as (
    select
        max_by(version, change) as champion,
        list(version) as versions
    from champions
),

judged as (
    select
        version,
        candidate,
        run_id,
        training_run_id,
        trained_since,
        trained_through,
        judged_through,
        metrics,
        candidates,
        promoted,
        reasons,
        money,
        decided_at,
        row_number() over (order by promoted desc, try_cast(version as bigint) desc) = 1 as is_last_promoted
    from model_versions
)

select
    judged.version,
    judged.candidate,
    judged.run_id,
    judged.training_run_id,
    judged.trained_since,
    judged.trained_through,
    judged.judged_through,
    judged.metrics,
    judged.candidates,
    judged.promoted,
    judged.reasons,
    judged.money,
    judged.decided_at,
    coalesce(judged.version = changes.champion, judged.promoted and judged.is_last_promoted) as is_champion,
    coalesce(list_contains(changes.versions, judged.version), false) or judged.promoted as is_or_was_champion
from judged
cross join changes
order by try_cast(judged.version as bigint) desc;
