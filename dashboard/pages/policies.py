"""The Policies page: what the product and its peers lose while they learn."""

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component

from dashboard.components import SCHEME, aria, card, chart, empty, frame, scheme_of, wire_content
from dashboard.figures import regret as figures
from dashboard.formats import literal
from dashboard.monitor import Monitor, Page
from dashboard.pages.overview_cards import no_data
from dashboard.theme import Scheme
from warehouse.query.advice import on_shelf

TABLE = "regret_by_day_history"


def layout(_monitor: Monitor) -> Component:
    """Build the frame of the page; what it shows comes with the first callback."""
    return frame(
        "policies",
        "Policies",
        "What each way of pricing earns from the same simulated shoppers, beside perfect knowledge of demand.",
    )


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    wire_content(app, "policies", lambda: f"{monitor.reader.stamp(TABLE)}", lambda scheme: content(monitor, scheme))

    @app.callback(
        Output("policies-regret", "children"),
        Input("policies-world", "value"),
        State(SCHEME, "data"),
        prevent_initial_call=True,
    )
    def choose_world(world: str, scheme: str | None) -> Any:
        return world_chart(lived(monitor), world, scheme_of(scheme))


def content(monitor: Monitor, scheme: Scheme) -> Component:
    """Draw what the page shows now."""
    if not monitor.settings.warehouse_file.exists():
        return no_data(monitor, "No data yet", "Policies are compared on the twin's shoppers.")
    cards = regret_card(monitor, scheme)
    if cards:
        return html.Div(cards, className="stack")
    return empty(
        "No comparison yet",
        "The product and its peers live the first days of a store, on the same shoppers. This takes some minutes.",
        on_shelf("shelfprice compare --world classic --days 14 --seeds 3", monitor.situation()),
    )


def regret_card(monitor: Monitor, scheme: Scheme) -> list[Component]:
    """Show the regret of one world, by default the first, and offer the others; nothing where no days were lived."""
    days = lived(monitor)
    if days.empty:
        return []
    offered = worlds_in(days)
    choice = dmc.Select(
        id="policies-world",
        data=offered,
        value=offered[0],
        allowDeselect=False,
        size="xs",
        className="choice",
        **aria(label="World"),
    )
    seeds, Timestamp = int(days["count_seeds"].max()), pd.Timestamp(days["lived_at"].max())
    return [
        card(
            "What is lost while it learns, day by day",
            html.Div(world_chart(days, offered[0], scheme), id="policies-regret"),
            caption="What perfect knowledge would have earned more from the same shoppers. No learner began with a "
            "log, and the product lives with its gate. Look for how soon a line is down, and which stays lowest. "
            f"Lived on {Timestamp:%d %b %Y at %H:%M} UTC, {seeds} {'seed' if seeds == 1 else 'seeds'} together.",
            right=choice,
        )
    ]


def lived(monitor: Monitor) -> pd.DataFrame:
    """Return the newest lived days of every world."""
    return monitor.reader.ask("regret_by_day", (TABLE,))


def worlds_in(days: pd.DataFrame) -> list[str]:
    """Name every world and number of stores that was lived, in order."""
    return list(dict.fromkeys(_named(days)))


def world_chart(days: pd.DataFrame, world: str, scheme: Scheme) -> Component:
    """Draw one world, as `worlds_in` names it."""
    described = f"Regret by day and learner, {literal(world)}"
    return chart("policies-regret-chart", described, figures.regret(days[_named(days) == world], scheme))


def _named(days: pd.DataFrame) -> "pd.Series[str]":
    stores = days["count_stores"].map(lambda count: "one store" if count == 1 else f"{count} stores")
    return days["world"] + ", " + stores


PAGE = Page("policies", "/policies", "Policies", "policies", 4, layout, wire)
