"""The command that serves the quote API."""

from typing import Annotated

import typer

from catalog.settings import read_settings
from flows.cli.console import remark
from flows.cli.options import Catalog, text_of

Port = Annotated[
    int | None,
    typer.Option(min=1, max=65_535, help="Port to listen on.", show_default="that of SHELFPRICE_API_ADDRESS, or 8070"),
]


def serve(port: Port = None, catalog: Catalog = None) -> None:
    """Serve the quote API on this machine: prices over HTTP, the same bytes as quote --json. Ctrl-C stops it.

    Reading needs no token; `shelfprice token add` makes one for everything else. The page /docs explains it.

    For example:
      shelfprice serve --port 8080
    """
    from connect.quote_api import refuse_open_quote_api
    from connect.quote_api import serve as run
    from warehouse.private import keep_private

    settings = read_settings()
    refuse_open_quote_api(settings)
    text_of(catalog)
    keep_private(settings.home)
    port = port or settings.quote_api.port
    remark(f"the quote API is at http://{settings.quote_api.host}:{port}, explained at /docs; Ctrl-C stops it")
    run(settings, port, catalog)
