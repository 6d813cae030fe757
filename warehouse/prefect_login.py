"""The credential of the Prefect servers that we start: who holds it can run code, so it is made once and kept secret.

It is `user:password`, as Prefect's own setting `PREFECT_SERVER_API_AUTH_STRING` has it. Where that is not set, one is
generated and kept in a file that its owner alone can read. It is handed to our own server and to nobody else.
"""

import base64
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from catalog.settings import Settings
from warehouse.locks import UP, is_held

_USER = "shelfprice"
_BYTES = 32


def prefect_credential(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the header that Prefect's own client would send by the variables of an environment."""
    login, key = environment.get("PREFECT_API_AUTH_STRING"), environment.get("PREFECT_API_KEY")
    if login:
        return {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}
    return {"Authorization": f"Bearer {key}"} if key else {}


def prefect_login(settings: Settings) -> str:
    """Return the credential, which is generated when there is none yet."""
    if settings.prefect_login is not None:
        return settings.prefect_login.get_secret_value()
    file = login_file(settings)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not file.exists():
        _create(file)
    file.chmod(0o600)
    return file.read_text(encoding="utf-8").strip()


def login_of_running_server(settings: Settings) -> str | None:
    """Return the credential while `shelfprice up` runs and its server is the one of the settings.

    Anybody else who listens at that address must not get it.
    """
    is_ours = settings.prefect_api == f"{settings.prefect.url}/api" and is_held(settings.locks, UP)
    return prefect_login(settings) if is_ours else None


def login_file(settings: Settings) -> Path:
    """Return the file that holds a generated credential."""
    return settings.prefect_home / "login"


def _create(file: Path) -> None:
    """Write a new credential, whole and readable by nobody else at any moment; the first of two writers wins."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(f"{_USER}:{secrets.token_urlsafe(_BYTES)}\n")
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
