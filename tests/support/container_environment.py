"""Which environment variables a container may be given: our settings, and those of the programs in the images."""

from collections.abc import Mapping

from catalog.settings import Settings, read_settings
from plugins.operations.delta.address import log_options, store_options
from plugins.operations.deploy.with_secrets import SECRETS
from plugins.operations.up.mlflow_server import LOGIN_VARIABLE

OURS = {str(field.validation_alias) for field in Settings.model_fields.values()}
OF_PROGRAMS = {
    "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION",
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES",
    "DO_NOT_TRACK",
    "HOME",
    "HOSTS",  # what the manifest of the API puts together
    "MLFLOW",  # the passwords with which a backup is made
    "MLFLOW_S3_ENDPOINT_URL",
    "MLFLOW_SERVER_ALLOWED_HOSTS",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_USERNAME",
    "NAME",  # of a backup
    "PGDATA",
    "POSTGRES_DB",
    "POSTGRES_INITDB_ARGS",
    "POSTGRES_PASSWORD_FILE",
    "POSTGRES_USER",
    "POD_IP",
    "PREFECT",
    "PREFECT_API_AUTH_STRING",
    "PREFECT_API_DATABASE_CONNECTION_URL",
    "PREFECT_HOME",
    "PREFECT_SERVER_ANALYTICS_ENABLED",
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE",
    "PREFECT_SERVER_CSRF_PROTECTION_ENABLED",
    "PREFECT_WORKER_QUERY_SECONDS",
    "SHELFPRICE_HOST",  # of the Caddyfile
    "SHELFPRICE_TLS",
    LOGIN_VARIABLE,
    "SHELFPRICE_MLFLOW_STORE",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
}
KNOWN = OURS | OF_PROGRAMS | {f"{name}_FILE" for name in SECRETS}


def speaks_to_its_object_store(given: Mapping[str, object]) -> bool:
    """Tell whether a container with these variables may speak to the object store that they name; False without one.

    Raises
    ------
    SettingError
        When it refuses to.
    """
    if "SHELFPRICE_LAKE" not in given:
        return False
    ours = {name: str(text) for name, text in given.items() if name in OURS}
    login = {
        "AWS_ACCESS_KEY_ID": "from",
        "AWS_SECRET_ACCESS_KEY": "files",
    }  # as `plugins.operations.deploy.with_secrets` reads them
    settings = read_settings({**login, **ours, "SHELFPRICE_HOME": "/data"})
    return bool(store_options(settings) and log_options(settings))
