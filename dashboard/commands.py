"""The command that serves the monitor."""

from typing import Annotated

import typer

from catalog.settings import read_settings
from flows.cli.command import command
from flows.cli.console import remark
from flows.cli.options import Catalog, not_empty, text_of

Host = Annotated[
    str | None,
    typer.Option(
        help="Address to listen on; any other than this machine's own needs a credential.",
        callback=not_empty,
        show_default="that of SHELFPRICE_MONITOR_ADDRESS, or 127.0.0.1",
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        min=1, max=65_535, help="Port to listen on.", show_default="that of SHELFPRICE_MONITOR_ADDRESS, or 8050"
    ),
]


@command("services", when_stopped="stopped; the monitor can be started again at any time")
def monitor(host: Host = None, port: Port = None, catalog: Catalog = None) -> None:
    """Serve the monitor, which shows live sales and explains each price. Ctrl-C stops it.

    For example:
      shelfprice monitor --port 8060
    """
    from dashboard.listening import credential_for, refuse_taken

    settings = read_settings()
    host, port = host or settings.monitor.host, port or settings.monitor.port
    credential_for(host, settings)
    text_of(catalog)
    refuse_taken(host, port)
    from dashboard.server import serve
    from flows.environment import prepare

    shown = f"[{host}]" if ":" in host else host
    remark(f"the monitor is at http://{shown}:{port}; Ctrl-C stops it")
    serve(prepare(), host, port, catalog)


COMMANDS = (monitor,)
