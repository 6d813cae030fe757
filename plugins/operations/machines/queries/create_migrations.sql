-- One row per service: the version whose tables stand in the service's schema.
create table if not exists prefect.shelfprice_migrations (
    service text primary key,
    version text not null,
    migrated_at timestamptz not null default now()
)
