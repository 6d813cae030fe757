-- One row: whether this session held the lock $1 alone; it does no more.
select pg_advisory_unlock($1::bigint) as was_held
