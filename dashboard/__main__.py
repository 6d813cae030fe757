"""`python -m dashboard`: the monitor alone."""

import argparse
import os
import signal
import sys
from pathlib import Path

from catalog.errors import ShelfpriceError
from catalog.settings import read_settings
from dashboard.server import serve
from warehouse.files import keep_files_private, keep_private

DEFAULT_PORT = 8050


def main() -> None:
    """Serve the monitor; exit 1 with one line when it cannot."""
    parser = argparse.ArgumentParser(prog="python -m dashboard", description="Serve the Shelfprice monitor.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port to listen on (default 8050)")
    parser.add_argument("--catalog", type=Path, metavar="DIR", help="folder with products.yaml and store.yaml")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        keep_files_private()
        settings = read_settings()
        keep_private(settings.home)
        os.environ.update(DASH_DISABLE_VERSION_CHECK="true", DO_NOT_TRACK="true")  # no request leaves the machine
        os.environ.setdefault("PREFECT_HOME", str(settings.prefect_home))
        serve(settings, given.host, given.port, given.catalog)
    except ShelfpriceError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
    sys.stderr.flush()
    os._exit(0)  # a thread that opens a price book is in DuckDB or Arrow, which abort when Python takes itself apart


if __name__ == "__main__":
    main()
