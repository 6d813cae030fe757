"""The monitor as one app: the frame around every page, the light that says how everything is, and the pages."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import dash
import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update, set_props
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from flask import current_app

from catalog.errors import ServiceError, ShelfpriceError
from catalog.settings import Settings
from dashboard.access import Access, access_to, guard
from dashboard.address import refuse_malformed
from dashboard.cache import Cache
from dashboard.components import HOME, NEWEST, SCHEME, SOLD, aria, icon, in_browser, notice, shown_date
from dashboard.data.notices import Health, health_of, running_services
from dashboard.data.overview import has_receipt
from dashboard.desk import page as desk
from dashboard.formats import show_in
from dashboard.monitor import Monitor, Page
from dashboard.pages import models, overview, pipeline, policies, prices, rules, store
from dashboard.pages.overview_cards import found_on
from dashboard.prefect.control import LiveControl, live_control
from dashboard.theme import MANTINE

TROUBLE = "trouble"
_AGAIN = "again"
_ASK_AGAIN_MS = 5_000


def app_shell(pages: Sequence[Page]) -> Component:
    """Build the frame; Dash places the page in it."""
    name = [html.Img(src="/assets/favicon.svg", alt=""), html.Span("Shelfprice")]
    switch = dmc.ColorSchemeToggle(
        id="scheme-switch",
        lightIcon=icon("sun"),
        darkIcon=icon("moon"),
        variant="subtle",
        color="gray",
        size="lg",
        **aria(label="Switch between light and dark"),
    )
    header = [dcc.Link(name, href="/", className="brand"), _pages(pages, "wide-nav"), health_light(), switch]
    main = [html.Div(id=TROUBLE, **aria(live="polite")), html.Div(dash.page_container, id="page")]
    shell = dmc.AppShell(
        [
            dmc.AppShellHeader(html.Div(header, className="header")),
            dmc.AppShellMain(main),
            dmc.AppShellFooter(_pages(pages, "narrow-nav"), hiddenFrom="md"),
        ],
        header={"height": 56},
        footer={"height": {"base": 60, "md": 0}},
        padding={"base": "sm", "sm": "lg"},
    )
    skip = html.A("Skip to the page", href="#page", className="skip")
    return dmc.MantineProvider([dcc.Store(id=SCHEME), skip, shell], theme=MANTINE, defaultColorScheme="auto")


def wire_scheme(app: Dash) -> None:
    """Let the browser say, when a page opens, whether it is light or dark; `assets/scheme.js` tells of changes."""
    in_browser(app, "scheme.shown", Output(SCHEME, "data"), Input("_pages_location", "pathname"))


def wire_trouble(app: Dash) -> None:
    """Let `assets/trouble.js` take a trouble away that no callback tells again, and ask anew for a page in trouble."""
    in_browser(app, "trouble.told", Output(TROUBLE, "title"), Input(TROUBLE, "children"))
    in_browser(app, "trouble.again", Output(_AGAIN, "disabled"), Input(_AGAIN, "n_intervals"))


def trouble(sentence: str) -> Component:
    """Show, above the page, one sentence about what went wrong."""
    return notice("Something could not be shown", sentence, mood="problem")


def page_in_trouble(sentence: str) -> Component:
    """Stand in for a page that could not be built; the browser asks for it again after a while."""
    return html.Div([trouble(sentence), dcc.Interval(id=_AGAIN, interval=_ASK_AGAIN_MS)])


def not_found() -> Component:
    """Answer an address that no page has."""
    return notice("No such page", "No page has this address; choose one above.", mood="warning")


def _pages(pages: Sequence[Page], look: str) -> Component:
    """Link to every page."""
    return html.Nav([_link(page) for page in pages], className=look, **aria(label="Pages"))


def _link(page: Page) -> Component:
    look = {"active": "exact", "className": "nav-link"}
    return dmc.NavLink(label=page.title, href=page.path, leftSection=icon(page.icon), **look)


LIGHT = "health-light"
_CLOCK, _SEEN = "health-clock", "health-seen"
_LOOK_AGAIN = 10_000  # milliseconds
_SHARED = 5.0  # seconds for which all browsers get the same answer


def health_light() -> Component:
    """Place the light; a callback says how everything is."""
    return html.Div(
        [
            dcc.Link(
                _told(Health("amber", "…")), href="/pipeline", id=LIGHT, className="health", title="How everything is"
            ),
            dcc.Interval(id=_CLOCK, interval=_LOOK_AGAIN),
            dcc.Store(id=_SEEN),
        ],
        className="health-place",
        **aria(live="polite"),
    )


def wire_health(app: Dash, monitor: Monitor) -> None:
    """Let the light follow what the monitor knows."""
    kept = Cache[Health](1, lambda _: _SHARED)

    @app.callback(
        Output(LIGHT, "children"),
        Output(LIGHT, "title"),
        Output(_SEEN, "data"),
        Input(_CLOCK, "n_intervals"),
        State(_SEEN, "data"),
    )
    def show(_n: int | None, seen: str | None) -> Any:
        health = kept.get("now", lambda: judged(monitor))
        if repr(health) == seen:
            raise PreventUpdate
        return _told(health), "; ".join(health.reasons) or "services, files and prices are in order", repr(health)


def judged(monitor: Monitor) -> Health:
    """Judge how everything is; what cannot be judged is broken."""
    try:
        running = running_services(monitor.settings)
        failed = _failed_runs(monitor) if running else ()
        date = shown_date(monitor, NEWEST)
        if date is None:
            return health_of(running, (), 0, failed)
        lake = monitor.reader.lake
        parts = [part for table in SOLD for part in lake.partitions_on(table, date)]
        unproven = sum(not has_receipt(lake, part) for part in parts)
        return health_of(running, found_on(monitor, date), unproven, failed)
    except ShelfpriceError as error:
        return health_of(None, (), 0, trouble=str(error))


def _failed_runs(monitor: Monitor) -> tuple[str, ...]:
    """Return the runs that failed and whose flow has not completed since; a silent Prefect is a matter of services."""
    try:
        return tuple(f"{run.flow} {run.state.lower()}" for run in monitor.runs.last() if run.reason)
    except ServiceError:
        return ()


def _told(health: Health) -> list[Component]:
    """Say it in a mark, whose shape tells as much as its colour, and in a word."""
    marks = {"green": "✓", "amber": "!", "red": "✗"}
    mark = html.Span(marks[health.light], className=f"light light-{health.light}", **aria(hidden="true"))
    return [mark, html.Span(health.word, className="health-word")]


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
    """Return the pages in order of the navigation."""
    modules = (desk, models, overview, pipeline, policies, prices, rules, store)
    return sorted((module.PAGE for module in modules), key=lambda page: page.order)


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
