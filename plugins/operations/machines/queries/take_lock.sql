-- One row: whether the lock $1 was taken for this session, alone. The session is then named $2, so that others see
-- who holds it.
with taken as (select pg_try_advisory_lock($1::bigint) as is_taken)

select
    is_taken,
    case when is_taken then set_config('application_name', $2, false) end as session_name
from taken
