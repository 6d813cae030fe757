-- One row: whether the lock $1 was taken for this session, together with others who share it. The session is then named
-- $2.
with taken as (select pg_try_advisory_lock_shared($1::bigint) as is_taken)

select
    is_taken,
    case when is_taken then set_config('application_name', $2, false) end as session_name
from taken
