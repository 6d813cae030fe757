"""Where MLflow's server keeps files: in a folder, or beside a lake on an object store, where several servers may run.

Clients hand files to the server and get them from it, so they need no key of the object store.
"""

from catalog.settings import Settings

_OBJECTS = "s3://"


def artifacts_of(settings: Settings) -> str:
    """Return the address of the files; a folder is made."""
    if _are_objects(settings):
        return f"{settings.lake_address}/mlflow"
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    return settings.artifacts.as_uri()


def object_store_environment(settings: Settings) -> dict[str, str]:
    """Return what tells MLflow's server of the object store; nothing where files are in a folder."""
    if not _are_objects(settings):
        return {}
    known = {
        "MLFLOW_S3_ENDPOINT_URL": settings.s3_endpoint,
        "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "path" if settings.s3_endpoint else None,
        "AWS_DEFAULT_REGION": settings.s3_region,
        "AWS_ACCESS_KEY_ID": settings.s3_key,
        "AWS_SECRET_ACCESS_KEY": settings.s3_secret.get_secret_value() if settings.s3_secret else None,
    }
    return {name: value for name, value in known.items() if value is not None}


def _are_objects(settings: Settings) -> bool:
    """Tell whether files are objects; beside a database that is a file, they are files."""
    return settings.database is not None and (settings.lake_address or "").startswith(_OBJECTS)
