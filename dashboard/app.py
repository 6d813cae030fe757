"""The monitor as a Dash app: it composes pages, app shell and access, and holds nothing else."""

import logging
import pkgutil
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import dash
from dash import Dash, no_update, set_props
from flask import current_app

from catalog.errors import ShelfpriceError
from catalog.settings import Settings
from dashboard import pages as page_modules
from dashboard.access import Access, access_to, guard
from dashboard.app_shell import TROUBLE, app_shell, not_found, page_in_trouble, trouble, wire_scheme, wire_trouble
from dashboard.components import HOME
from dashboard.formats import show_in
from dashboard.health_light import wire_health
from dashboard.malformed import refuse_malformed
from dashboard.monitor import Monitor, Page
from dashboard.prefect.control import LiveControl, live_control

logger = logging.getLogger(__name__)

MONITOR = "SHELFPRICE_MONITOR"
"""Where the configuration of the server has the monitor."""
_ASSETS = Path(__file__).parent / "assets"
_INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}<title>{%title%}</title>
        <link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">{%css%}
    </head>
    <body>{%app_entry%}<div>{%config%}{%scripts%}{%renderer%}</div></body>
</html>
"""


def create_app(
    settings: Settings,
    *,
    catalog_dir: Path | None = None,
    access: Access | None = None,
    control: LiveControl | None = None,
) -> Dash:
    """Compose the monitor.

    Parameters
    ----------
    settings
        Where the warehouse is; it need not exist yet.
    catalog_dir
        Folder of the shelf and the store, by default the ones in the package.
    access
        Who may come in; by default browsers on this machine.
    control
        Starts and stops live stores; by default through the Prefect server of the settings.
    """
    monitor = Monitor(settings, control or live_control(settings), catalog_dir)
    app = Dash(
        "shelfprice",
        title="Shelfprice",
        update_title="",  # the title must not flicker every second
        assets_folder=str(_ASSETS),
        pages_folder="",  # pages register below, where they are given the monitor
        use_pages=True,
        serve_locally=True,
        index_string=_INDEX,
        include_pages_meta=False,  # they would invite other hosts to preview the page
        suppress_callback_exceptions=True,  # a page's callbacks are known before its layout is
        on_error=_tell,
        enable_mcp=False,
    )
    app.server.config.update({MONITOR: monitor, HOME: settings.home})
    pages = all_pages()
    for page in pages:
        _register(page)
        page.wire(app, monitor)
    dash.register_page("not_found_404", path="/404", layout=lambda **_: not_found())  # type: ignore[no-untyped-call]
    wire_scheme(app)
    wire_trouble(app)
    wire_health(app, monitor)
    app.layout = app_shell(pages)
    guard(app.server, access or access_to("127.0.0.1", settings), app.csp_hashes)
    refuse_malformed(app)
    app.server.before_request(lambda: _write_in_the_words_of(monitor))
    return app


def _write_in_the_words_of(monitor: Monitor) -> None:
    """Let a request write the catalog's currency and store names; a catalog that cannot be read is said by the page."""
    with suppress(ShelfpriceError):
        store = monitor.catalog.current().store
        show_in(store.money, store.names)


def _register(page: Page) -> None:
    dash.register_page(  # type: ignore[no-untyped-call]
        page.name,
        path=page.path,
        name=page.title,
        title=f"{page.title} · Shelfprice",
        order=page.order,
        layout=layout_of(page),
    )


def all_pages() -> list[Page]:
    """Find the pages: every module of `dashboard.pages` that defines `PAGE`, in order of the navigation."""
    names = [module.name for module in pkgutil.iter_modules(page_modules.__path__)]
    modules = [import_module(f"{page_modules.__name__}.{name}") for name in names]
    return sorted((module.PAGE for module in modules if hasattr(module, "PAGE")), key=lambda page: page.order)


def layout_of(page: Page) -> Callable[..., Any]:
    """Build a page for the app that answers: Dash keeps one registry of pages for all apps of a process."""

    def layout(**query: object) -> Any:
        try:
            kept = {name: query[name] for name in page.keeps if name in query}
            return page.layout(current_app.config[MONITOR], **kept)
        except Exception as error:  # noqa: BLE001 - the page says it, the log keeps it
            return page_in_trouble(_sentence(error))

    return layout


def _tell(error: Exception) -> Any:
    set_props(TROUBLE, {"children": trouble(_sentence(error))})
    return no_update


def _sentence(error: Exception) -> str:
    """Return what a person can use: our own errors say what to do, for any other the log holds the details."""
    if isinstance(error, ShelfpriceError):
        logger.warning("%s", error)
        return str(error)
    logger.error("a page failed", exc_info=error)
    return "This part of the page failed unexpectedly; the terminal that runs the monitor shows the details."
