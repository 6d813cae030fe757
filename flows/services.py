"""Whether the services that a command needs are there, asked before anything slow, by a knock of seconds at each.

Prefect and MLflow would wait for minutes. Neither is imported here.
"""

import os

from catalog.addresses import KnockResult, knock, refuse_absent_registry, without_login
from catalog.errors import ServiceError
from catalog.hooks import DATABASE
from catalog.settings import Settings
from warehouse.files import prefect_credential
from warehouse.services import refuse_unusable, sqlite_file

_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404


def refuse_absent_services(settings: Settings, *, uses_registry: bool, uses_prefect: bool = True) -> None:
    """Refuse work for which a service is away, within seconds.

    Raises
    ------
    ModelError
        When the model registry is away.
    ServiceError
        When Prefect or PostgreSQL is, or the database file of the registry cannot be used.
    """
    refuse_absent_database(settings)
    api = os.environ.get("PREFECT_API_URL")
    if uses_prefect and api:
        _refuse_absent_prefect(api)
    if uses_registry:
        refuse_absent_registry(settings.tracking_uri)
        file = sqlite_file(settings.tracking_uri)
        if file is not None:
            refuse_unusable(file, "mend it, or set MLFLOW_TRACKING_URI to another registry")


def refuse_absent_database(settings: Settings) -> None:
    """Refuse work for which the database that the settings name is away.

    Raises
    ------
    ServiceError
        When it is.
    """
    if settings.database is not None:
        DATABASE.needed("SHELFPRICE_DATABASE").refuse_absent_database(settings.database)


def _refuse_absent_prefect(api: str) -> None:
    answer, where = knock(f"{api.rstrip('/')}/health", prefect_credential(os.environ)), without_login(api)
    if answer.status in {_UNAUTHORIZED, _FORBIDDEN}:
        raise ServiceError(
            f"Prefect at {where} wants a credential ({answer.problem}); nothing was done and old prices hold: set "
            "PREFECT_API_AUTH_STRING to its user:password, or unset PREFECT_API_URL to run without it"
        )
    if not answer.is_good or _is_another(answer):
        found = "something else answers there" if _is_another(answer) else answer.problem
        raise ServiceError(
            f"expected Prefect at {where}, found: {found}; nothing was done and old prices hold: start it with "
            "`shelfprice up`, or unset PREFECT_API_URL to run without it"
        )


def _is_another(answer: KnockResult) -> bool:
    """Tell whether what answers is not Prefect; its cloud has no such page, and is known by its key."""
    return answer.status == _NOT_FOUND and not os.environ.get("PREFECT_API_KEY")
