-- One row per judged model version, the newest first.
select
    version,
    candidate,
    trained_through,
    judged_through,
    promoted,
    decided_at,
    (metrics ->> '$.calibration_error')::double as calibration_error,
    (metrics ->> '$.excess_log_loss')::double as excess_log_loss
from model_versions
order by decided_at desc;
