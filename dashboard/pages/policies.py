"""The Policies page: what the product as shipped loses while it learns, and what each policy earns after learning."""

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component

from dashboard.app_shell import SCHEME
from dashboard.cards import policies as cards
from dashboard.cards import regret
from dashboard.cards.missing import no_data
from dashboard.cards.policy_earnings import earnings_card
from dashboard.components import aria, chart, empty, fold, wire_saving
from dashboard.data.comparison import StoredComparison, comparison_of
from dashboard.figures import policies as figures
from dashboard.monitor import Monitor, Page
from dashboard.page_frame import frame, scheme_of, wire_content
from dashboard.theme import Scheme
from warehouse.advice import on_shelf

_TABLES = ("policy_results", "learning_results", regret.TABLE)
_SCARCE = "400 visits"  # the scenario shown first: four visits for each unit


def layout(_monitor: Monitor) -> Component:
    """Build the frame of the page; what it shows comes with the first callback."""
    return frame(
        "policies",
        "Policies",
        "What each way of pricing earns from the same simulated shoppers, beside perfect knowledge of demand.",
    )


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    wire_content(app, "policies", lambda: f"{monitor.reader.stamp(*_TABLES)}", lambda scheme: content(monitor, scheme))

    @app.callback(
        Output("policies-learning", "children"),
        Input("policies-scenario", "value"),
        State(SCHEME, "data"),
        prevent_initial_call=True,
    )
    def choose(scenario: str, scheme: str | None) -> Any:
        return _learning(comparison(monitor), scenario, scheme_of(scheme))

    @app.callback(
        Output("policies-regret", "children"),
        Input("policies-world", "value"),
        State(SCHEME, "data"),
        prevent_initial_call=True,
    )
    def choose_world(world: str, scheme: str | None) -> Any:
        return regret.world_chart(regret.lived(monitor), world, scheme_of(scheme))

    wire_saving(app, "policies-table", "policies-export")


def content(monitor: Monitor, scheme: Scheme) -> Component:
    """Draw what the page shows now."""
    if not monitor.settings.warehouse_file.exists():
        return no_data(monitor, "No data yet", "Policies are compared on the twin's shoppers.")
    lived = [*earnings_card(monitor), *regret.regret_card(monitor, scheme)]
    found = comparison(monitor)
    if found.played.empty:
        missing = empty(
            "No comparison yet",
            "Policies learn from logs of several sizes and then meet the same shoppers. This takes some minutes.",
            on_shelf("shelfprice compare --seeds 3 --days 20", monitor.situation()),
        )
        return html.Div([*lived, missing], className="stack")
    parts = [
        *lived,
        cards.headline(found),
        fold(
            "Share by scenario",
            "How close each policy comes to perfect knowledge.",
            chart(
                "policies-shares", "Share of perfect knowledge by scenario and policy", figures.shares(found, scheme)
            ),
            cards.legend(found),
            caption="Look for policies that stay near 100 % as stock gets scarce; lines are 95 % intervals. The gate "
            "is left out. " + cards.provenance(found),
        ),
        _learning_fold(found, scheme),
        _money_fold(found, scheme),
        fold(
            "A store day, policy by policy",
            "Units, prices, lost sales and price changes.",
            dmc.Button("Save as CSV", id="policies-export", variant="default", size="xs", mb=8),
            cards.table(found),
            caption="Means over seeds. Lost sales: visits to an empty shelf. Price changes: without opening prices. "
            "The gate is left out.",
        ),
    ]
    return html.Div(parts, className="stack")


def _learning_fold(found: StoredComparison, scheme: Scheme) -> Component:
    learned = set(found.learned["scenario"])
    scenarios = [scenario for scenario in found.scenarios if scenario in learned]
    title = "Share by size of the log"
    if not scenarios:
        return fold(title, "No policy in this comparison learns from a log.")
    chosen = _SCARCE if _SCARCE in scenarios else scenarios[0]
    choice = dmc.Select(
        id="policies-scenario",
        data=scenarios,
        value=chosen,
        allowDeselect=False,
        size="xs",
        className="choice",
        **aria(label="Scenario"),
    )
    return fold(
        title,
        "How many decisions a policy has to learn from.",
        choice,
        html.Div(_learning(found, chosen, scheme), id="policies-learning"),
        caption="Computed exactly under true demand. Look for how few decisions suffice; lines: 95 % intervals. "
        "The gate is left out.",
    )


def _learning(found: StoredComparison, scenario: str, scheme: Scheme) -> Component:
    rows = found.learned[found.learned["scenario"] == scenario]
    described = f"Share of the clairvoyant over logged decisions, {scenario}"
    return chart("policies-curve", described, figures.learning(rows, scheme))


def _money_fold(found: StoredComparison, scheme: Scheme) -> Component:
    return fold(
        "Money left on the table, EUR a store day",
        "What perfect knowledge would earn more.",
        chart("policies-money", "Money left on the table by scenario and policy", figures.money_left(found, scheme)),
        caption="The clairvoyant's revenue minus the policy's, on the same shoppers. Look for columns near zero. "
        "The gate is left out.",
    )


def comparison(monitor: Monitor) -> StoredComparison:
    """Return the newest comparison of policies."""
    played = monitor.reader.ask("policies_played", ("policy_results",))
    return comparison_of(played, monitor.reader.ask("policies_learned", ("learning_results",)))


PAGE = Page("policies", "/policies", "Policies", "policies", 4, layout, wire)
