"""The Policies page: what the product and its peers lose while they learn."""

from typing import Any

from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component

from dashboard.app_shell import SCHEME
from dashboard.cards import regret
from dashboard.cards.missing import no_data
from dashboard.cards.policy_earnings import earnings_card
from dashboard.components import empty
from dashboard.monitor import Monitor, Page
from dashboard.page_frame import frame, scheme_of, wire_content
from dashboard.theme import Scheme
from warehouse.advice import on_shelf


def layout(_monitor: Monitor) -> Component:
    """Build the frame of the page; what it shows comes with the first callback."""
    return frame(
        "policies",
        "Policies",
        "What each way of pricing earns from the same simulated shoppers, beside perfect knowledge of demand.",
    )


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    wire_content(
        app, "policies", lambda: f"{monitor.reader.stamp(regret.TABLE)}", lambda scheme: content(monitor, scheme)
    )

    @app.callback(
        Output("policies-regret", "children"),
        Input("policies-world", "value"),
        State(SCHEME, "data"),
        prevent_initial_call=True,
    )
    def choose_world(world: str, scheme: str | None) -> Any:
        return regret.world_chart(regret.lived(monitor), world, scheme_of(scheme))


def content(monitor: Monitor, scheme: Scheme) -> Component:
    """Draw what the page shows now."""
    if not monitor.settings.warehouse_file.exists():
        return no_data(monitor, "No data yet", "Policies are compared on the twin's shoppers.")
    lived = [*earnings_card(monitor), *regret.regret_card(monitor, scheme)]
    if lived:
        return html.Div(lived, className="stack")
    return empty(
        "No comparison yet",
        "The product and its peers live the first days of a store, on the same shoppers. This takes some minutes.",
        on_shelf("shelfprice compare --world classic --days 14 --seeds 3", monitor.situation()),
    )


PAGE = Page("policies", "/policies", "Policies", "policies", 4, layout, wire)
