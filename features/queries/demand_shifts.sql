-- One row per date from which shoppers answered prices otherwise than before, as the checks up to a date found them,
-- against any champion or against one. Of the products seen to change on one day, the last to change counts.
with found as (
    select
        business_date,
        model_version,
        max(since) as since
    from drift_checks
    where
        detected
        and business_date <= $through
        and ($model_version is null or model_version = $model_version)
    group by business_date, model_version
)

select distinct since
from found
order by since;
