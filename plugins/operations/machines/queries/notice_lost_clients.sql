-- One row. From here on the server takes this connection for lost 25 seconds after its client's machine is gone, and it
-- then frees the locks that the connection holds.
select
    set_config('tcp_keepalives_idle', '10', false) as idle_seconds,
    set_config('tcp_keepalives_interval', '5', false) as interval_seconds,
    set_config('tcp_keepalives_count', '3', false) as probes,
    set_config('tcp_user_timeout', '25000', false) as unanswered_milliseconds
