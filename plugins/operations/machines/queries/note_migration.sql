-- Note that the service $1 has the tables of version $2.
insert into prefect.shelfprice_migrations (service, version) values ($1, $2)
on conflict (service) do update set
    version = excluded.version,
    migrated_at = now()
