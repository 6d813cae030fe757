"""`python -m plugins.connect.quote_api`: the quote API alone, as `shelfprice serve` and `shelfprice up` run it.

One process with one event loop answers all requests from a book in memory; a second one would hold another copy.
"""

import argparse
import gc
import signal
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from catalog.addresses import is_free, is_loopback
from catalog.errors import DataError, SettingError, ShelfpriceError
from catalog.settings import Settings, read_settings
from warehouse.files import keep_files_private, keep_private

if TYPE_CHECKING:
    from plugins.connect.api.kept_desk import KeptDesk

_IDLE = 30  # seconds until an idle connection is closed
_MOST_CONNECTIONS = 800  # at once; a process may open 1,024 files, unless its system says otherwise
_ENDS_WITHIN = 1  # second, for requests that are being answered, where somebody waits at a terminal
_DRAINS_WITHIN = 20  # seconds, where others can reach it: a container is given time
_SWITCH = 0.0005  # seconds for which a thread that reads the lake may hold up the event loop


def refuse_open_quote_api(settings: Settings) -> None:
    """Refuse an address that other machines could reach.

    Raises
    ------
    SettingError
        When it is not on loopback.
    """
    address = settings.quote_api
    if not is_loopback(address.host):
        raise SettingError(
            f"{address.setting}: others can reach {address.host}, and reading quotes needs no token; nothing was "
            "started: stay on 127.0.0.1, behind a proxy with TLS"
        )


def serve(settings: Settings, port: int, catalog_dir: Path | None = None, host: str | None = None) -> None:
    """Answer requests until the process is stopped.

    Parameters
    ----------
    host
        Address to listen on; None for that of the settings. Off loopback, reading needs a token, too.

    Raises
    ------
    SettingError
        When other machines could reach the address of the settings.
    DataError
        When the port is taken.
    """
    if host is None:
        refuse_open_quote_api(settings)
    host = host or settings.quote_api.host
    if not is_free(host, port):
        raise DataError(
            f"port {port} of {host} is taken; nothing was started: stop what listens there, or give another --port"
        )
    import uvicorn

    from plugins.connect.api.app import application

    app = application(settings, catalog_dir, anyone_reads=is_loopback(host))
    _warm_up(app.state.desk)
    uvicorn.run(
        app,
        host=host.strip("[]"),
        port=port,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        http="h11",
        ws="none",
        proxy_headers=False,
        timeout_keep_alive=_IDLE,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_ENDS_WITHIN if is_loopback(host) else _DRAINS_WITHIN,
    )


def _warm_up(kept: "KeptDesk") -> None:
    """Read the book before the first request, and let neither threads nor the garbage collector hold up an answer."""

    def begin() -> None:
        with suppress(ShelfpriceError, OSError):  # a request says it
            kept.look()
        gc.freeze()  # what is loaded now stays

    sys.setswitchinterval(_SWITCH)
    Thread(target=begin, name="first-look", daemon=True).start()


def main() -> None:
    """Serve; exit 1 with one line when it cannot."""
    parser = argparse.ArgumentParser(prog="python -m plugins.connect.quote_api", description="Serve the quote API.")
    parser.add_argument(
        "--host", help="address to listen on, by default that of SHELFPRICE_API_ADDRESS; off loopback all need a token"
    )
    parser.add_argument("--port", type=int, help="port to listen on, by default that of SHELFPRICE_API_ADDRESS")
    parser.add_argument("--catalog", type=Path, metavar="DIR", help="folder with products.yaml and store.yaml")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        keep_files_private()
        settings = read_settings()
        keep_private(settings.home)
        serve(settings, given.port or settings.quote_api.port, given.catalog, given.host)
    except ShelfpriceError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
