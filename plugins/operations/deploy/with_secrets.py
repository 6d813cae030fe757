"""Run a command with the secrets of files in its environment.

For a variable such as `SHELFPRICE_DATABASE_FILE` it sets `SHELFPRICE_DATABASE` to what the file holds. So secrets stand
in no description of a container and on no command line. The command takes this process's place, and gets its signals.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from catalog.errors import SettingError

_SUFFIX = "_FILE"
SECRETS = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "SHELFPRICE_DATABASE", "SHELFPRICE_MONITOR_PASSWORD"),
    *("PREFECT_API_AUTH_STRING", "PREFECT_API_DATABASE_CONNECTION_URL", "PREFECT_SERVER_API_AUTH_STRING"),
    *("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_USERNAME", "SHELFPRICE_MLFLOW_LOGIN", "SHELFPRICE_MLFLOW_STORE"),
    *("SHELFPRICE_SMTP_PASSWORD", "SHELFPRICE_WEBHOOK_SECRET"),
)
"""What may come from a file. Other variables that end in `_FILE` mean a file themselves, such as some of Amazon's."""


def with_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which each `NAME_FILE` is replaced by `NAME` with what the file holds.

    Raises
    ------
    SettingError
        When a file cannot be read or is empty, or when a variable is set as well.
    """
    by_name = {}
    for variable, text in environ.items():
        name = variable.removesuffix(_SUFFIX)
        if name == variable or name not in SECRETS:
            by_name[variable] = text
            continue
        if name in environ:
            raise SettingError(f"{variable}: expected it or {name}, found both; nothing was started: leave one away")
        by_name[name] = _content(variable, Path(text))
    return by_name


def _content(variable: str, file: Path) -> str:
    try:
        content = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingError(f"{variable}: expected a file, {file}: {error.strerror}; nothing was started") from error
    if not content:
        raise SettingError(f"{variable}: expected a secret in {file}, found an empty file; nothing was started")
    return content


def main() -> None:
    """Become the command."""
    try:
        environ = with_secrets(os.environ)
    except SettingError as error:
        sys.exit(str(error))
    environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.execvpe(sys.argv[1], sys.argv[1:], environ)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
