"""`python -m plugins.operations.deploy.health WHAT`: exit 0 when a part of a container answers, for its health check.

WHAT is an address, `http://127.0.0.1:4200/api/health`; `tcp://127.0.0.1:8333`, where it is enough that it listens;
`worker`, for the process that executes Prefect's runs and listens nowhere; or `version`, for a program that starts.
"""

import socket
import sys
import urllib.error
import urllib.request
from importlib.metadata import version
from urllib.parse import urlsplit

from catalog.settings import read_settings
from warehouse.commits.locks import WORKER, is_held

_WITHIN = 5.0  # seconds
_WANTS_A_CREDENTIAL = 401


def answers(what: str) -> bool:
    """Return whether it answers; a page that asks for a credential does."""
    if what == "version":
        return bool(version("shelfprice"))
    if what == "worker":
        return is_held(read_settings().locks, WORKER)
    try:
        if what.startswith("tcp://"):
            url = urlsplit(what)
            socket.create_connection((url.hostname or "", url.port or 0), timeout=_WITHIN).close()
            return True
        with urllib.request.urlopen(what, timeout=_WITHIN):  # noqa: S310 - the addresses are our own
            return True
    except urllib.error.HTTPError as error:
        return error.code == _WANTS_A_CREDENTIAL
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1]) else 1)
