"""The app shell around every page: name, navigation, light or dark, and a place for errors."""

from collections.abc import Sequence

import dash
import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from dashboard.components import aria, icon, in_browser, notice
from dashboard.health_light import health_light
from dashboard.monitor import Page
from dashboard.theme import MANTINE

TROUBLE = "trouble"
_AGAIN = "again"
_ASK_AGAIN_MS = 5_000
SCHEME = "scheme"
"""Id of a store that holds `light` or `dark`; figures take `Input(SCHEME, "data")`, None until the browser says."""


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
