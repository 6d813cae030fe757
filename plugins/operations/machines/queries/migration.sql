-- The version whose tables the service $1 has, as long as its tables are there at all.
select version
from prefect.shelfprice_migrations
where
    service = $1
    and to_regclass($1 || '.alembic_version') is not null
