-- One row: whether this session shared the lock $1; it does no more, or once less.
select pg_advisory_unlock_shared($1::bigint) as was_held
