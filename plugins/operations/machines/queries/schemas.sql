-- One row per schema of the database that is ours to use.
select nspname as schema_name
from pg_namespace
where nspname in ('prefect', 'mlflow')
