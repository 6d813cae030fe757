"""Whether the services that a command needs are there, asked before anything slow: a knock of seconds at each.

Prefect and MLflow would wait for minutes themselves. Neither is imported here.
"""

import base64
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from catalog.addresses import without_login
from catalog.errors import ServiceError
from catalog.knock import Answer, knock
from catalog.settings import Settings
from serving.registry_away import refuse_absent_registry

_WRITER_PATIENCE = 8.0  # seconds for another process that writes into a database
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404


def refuse_absent_services(settings: Settings, *, uses_registry: bool, uses_prefect: bool = True) -> None:
    """Refuse work for which a service is away, within seconds.

    Raises
    ------
    ModelError
        When the model registry is away.
    ServiceError
        When Prefect is, or a database file of either cannot be used.
    """
    api = os.environ.get("PREFECT_API_URL")
    if uses_prefect and api:
        _refuse_absent_prefect(api)
    elif uses_prefect:
        _refuse_unusable(settings.prefect_home / "prefect.db", "move it away: Prefect then begins a new one")
    if uses_registry:
        refuse_absent_registry(settings)
        if settings.tracking_uri.startswith("sqlite:///"):
            file = Path(settings.tracking_uri.removeprefix("sqlite:///"))
            _refuse_unusable(file, "mend it, or set MLFLOW_TRACKING_URI to another registry")


def _refuse_absent_prefect(api: str) -> None:
    answer, where = knock(f"{api.rstrip('/')}/health", _credential()), without_login(api)
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


def _is_another(answer: Answer) -> bool:
    """Tell whether what answers is not Prefect; its cloud has no such page, and is known by its key."""
    return answer.status == _NOT_FOUND and not os.environ.get("PREFECT_API_KEY")


def _credential() -> dict[str, str]:
    """Return the header that Prefect's own client would send."""
    login, key = os.environ.get("PREFECT_API_AUTH_STRING"), os.environ.get("PREFECT_API_KEY")
    if login:
        return {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}
    return {"Authorization": f"Bearer {key}"} if key else {}


def _refuse_unusable(file: Path, remedy: str) -> None:
    """Refuse a database file that is damaged, or that this process cannot write."""
    if not file.exists():
        return
    try:
        address = f"file:{quote(str(file))}?mode=rw"
        with closing(sqlite3.connect(address, timeout=_WRITER_PATIENCE, isolation_level=None, uri=True)) as database:
            database.execute("begin immediate")
            database.execute("select count(*) from sqlite_master").fetchone()
            database.execute("rollback")
    except sqlite3.Error as error:
        raise ServiceError(
            f"{file}: expected a database that can be written, found: {error}; nothing was done and old prices hold: "
            f"{remedy}"
        ) from error
