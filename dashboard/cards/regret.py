"""The card of the Policies page that shows what the product as shipped and its peers lose while they learn."""

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import aria, card, chart
from dashboard.figures import regret as figures
from dashboard.formats import literal
from dashboard.monitor import Monitor
from dashboard.theme import Scheme

TABLE = "regret_by_day"


def regret_card(monitor: Monitor, scheme: Scheme) -> list[Component]:
    """Show the regret of one world, by default the first, and offer the others; nothing where no days were lived."""
    found = lived(monitor)
    if found.empty:
        return []
    offered = worlds_in(found)
    choice = dmc.Select(
        id="policies-world",
        data=offered,
        value=offered[0],
        allowDeselect=False,
        size="xs",
        className="choice",
        **aria(label="World"),
    )
    seeds, at = int(found["count_seeds"].max()), pd.Timestamp(found["lived_at"].max())
    return [
        card(
            "What is lost while it learns, day by day",
            html.Div(world_chart(found, offered[0], scheme), id="policies-regret"),
            caption="What perfect knowledge would have earned more from the same shoppers. No learner began with a "
            "log, and the product lives with its gate. Look for how soon a line is down, and which stays lowest. "
            f"Lived on {at:%d %b %Y at %H:%M} UTC, {seeds} {'seed' if seeds == 1 else 'seeds'} together.",
            right=choice,
        )
    ]


def lived(monitor: Monitor) -> pd.DataFrame:
    """Return the newest lived days of every world."""
    return monitor.reader.ask("regret_by_day", (TABLE,))


def worlds_in(found: pd.DataFrame) -> list[str]:
    """Name every world and number of stores that was lived, in order."""
    return list(dict.fromkeys(_named(found)))


def world_chart(found: pd.DataFrame, world: str, scheme: Scheme) -> Component:
    """Draw one world, as `worlds_in` names it."""
    described = f"Regret by day and learner, {literal(world)}"
    return chart("policies-regret-chart", described, figures.regret(found[_named(found) == world], scheme))


def _named(found: pd.DataFrame) -> "pd.Series[str]":
    stores = found["count_stores"].map(lambda count: "one store" if count == 1 else f"{count} stores")
    return found["world"] + ", " + stores
