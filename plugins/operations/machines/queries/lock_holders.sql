-- One row per session that holds the lock $1: how it is named. PostgreSQL keeps both halves of a lock's number apart.
select activity.application_name
from pg_locks as locks
inner join pg_stat_activity as activity on locks.pid = activity.pid
inner join pg_database as own on locks.database = own.oid and own.datname = current_database()
where
    locks.locktype = 'advisory'
    and locks.objsubid = 1
    and locks.granted
    and locks.classid::bigint = ($1::bigint >> 32) & 4294967295
    and locks.objid::bigint = $1::bigint & 4294967295
