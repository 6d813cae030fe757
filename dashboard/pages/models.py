"""The Models page: which model prices the shelf, what it promised, and why the gate let it."""

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from dashboard.components import aria, card, empty, notice
from dashboard.data.calibration import promised
from dashboard.data.registry import registry_pages
from dashboard.data.versions import Version, champion_of, versions_of
from dashboard.monitor import Monitor, Page
from dashboard.page_frame import frame, scheme_of, wire_body
from dashboard.sections import champions, drift, evidence, shocks
from dashboard.sections import models as sections
from dashboard.shell import SCHEME
from dashboard.theme import Scheme, day

_TABLES = ("model_versions", "champions", "demand_curves", "demand_cells")
_DATES = 7  # newest dates whose promises are held against what came
_PRODUCTS = 6  # curves drawn before someone asks for others
_RIVALS = 2  # versions beside the champion before someone asks for others


def layout(_monitor: Monitor) -> Component:
    """Build the frame of the page; what it shows comes with the first callback."""
    return frame("models", "Models", "Which model prices the shelf, what it promised, and why the gate let it.")


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    wire_body(
        app,
        "models",
        lambda: f"{registry_pages(monitor.settings)} {monitor.reader.stamp(*_TABLES, *drift.TABLES, shocks.TABLE)}",
        lambda scheme: _body(monitor, scheme),
    )

    @app.callback(Output("models-versions", "children"), Input("models-chosen", "value"), prevent_initial_call=True)
    def compare(chosen: list[str] | None) -> Any:
        return _side_by_side(_versions(monitor), chosen or [], monitor)

    @app.callback(
        Output("models-gate", "children"),
        Input("models-judged", "value"),
        State(SCHEME, "data"),
        prevent_initial_call=True,
    )
    def judge(number: str | None, scheme: str | None) -> Any:
        version = next((version for version in _versions(monitor) if version.number == number), None)
        return sections.gate(version, scheme_of(scheme)) if version else no_update

    @app.callback(
        Output("models-curves", "children"),
        Input("models-products", "value"),
        State(SCHEME, "data"),
        prevent_initial_call=True,
    )
    def draw(skus: list[str] | None, scheme: str | None) -> Any:
        curves, observed = _curves_and_observed(monitor)
        return evidence.curves_of(curves, observed, _names(monitor), skus or [], scheme_of(scheme))


def _body(monitor: Monitor, scheme: Scheme) -> Component:
    if not monitor.settings.warehouse_file.exists():
        return empty("No data yet", "Nothing was sold and nothing was learned so far.", "shelfprice demo")
    versions = _versions(monitor)
    if not versions:
        return empty("No model yet", "A model is trained on decisions and judged on later ones.", "shelfprice train")
    curves, observed = _curves_and_observed(monitor)
    seen = promised(curves, observed)
    dates = monitor.reader.dates("interactions")
    parts = [
        *_warnings(versions),
        sections.health(versions, dates[-1] if dates else None, seen),
        html.Div([_comparison_card(versions, monitor), _gate_card(versions, scheme)], className="grid grid-2"),
        html.Div([evidence.promises(seen, scheme), evidence.timeline(versions, scheme)], className="grid grid-2"),
        *champions.changes(monitor.reader.ask("champion_history", ("champions", "interactions"))),
        drift.drift_card(monitor, scheme),
        *shocks.scorecard(monitor),
        _curves_card(curves, observed, _names(monitor), scheme),
        card(
            f"Candidates of the newest training, judged through {day(versions[0].judged_through)}",
            sections.candidates(versions[0]),
            caption="All of them saw the same days and were judged on the same later ones, so their numbers compare.",
        ),
    ]
    return html.Div(parts, className="stack")


def _warnings(versions: tuple[Version, ...]) -> list[Component]:
    if champion_of(versions):
        return []
    return [
        notice(
            "No champion",
            "The gate let no version through, so base prices stand. Its reasons are below; more decisions at varied "
            "prices are what usually helps.",
            command="shelfprice pipeline",
            mood="warning",
        )
    ]


def _comparison_card(versions: tuple[Version, ...], monitor: Monitor) -> Component:
    champion = champion_of(versions)
    others = [version.number for version in versions if version is not champion][:_RIVALS]
    chosen = [*([champion.number] if champion else []), *others]
    choice = dmc.MultiSelect(
        id="models-chosen",
        data=[{"value": version.number, "label": f"{version.number} {version.verdict}"} for version in versions],
        value=chosen,
        maxValues=4,
        size="xs",
        className="choice",
        **aria(label="Versions to compare"),
    )
    hint = [] if registry_pages(monitor.settings) else [sections.no_pages_hint()]
    return card(
        "Champion and challengers",
        html.Div(_side_by_side(versions, chosen, monitor), id="models-versions"),
        *hint,
        caption="★ marks the best of a row; ↓ lower is better, ↑ higher is better. Versions were judged on different "
        "days: which of two is better on the same days is what the gate asked.",
        right=choice,
    )


def _side_by_side(versions: tuple[Version, ...], chosen: list[str], monitor: Monitor) -> Component:
    shown = [version for version in versions if version.number in chosen]
    shown.sort(key=lambda version: not version.is_champion)  # the champion first
    if not shown:
        return dmc.Text("Choose at least one version.", c="dimmed", size="sm")
    return sections.side_by_side(shown, registry_pages(monitor.settings))


def _gate_card(versions: tuple[Version, ...], scheme: Scheme) -> Component:
    choice = dmc.Select(
        id="models-judged",
        data=[{"value": version.number, "label": f"Version {version.number}"} for version in versions],
        value=versions[0].number,
        allowDeselect=False,
        size="xs",
        w=140,
        **aria(label="Version"),
    )
    return card("What the gate said", html.Div(sections.gate(versions[0], scheme), id="models-gate"), right=choice)


def _curves_card(curves: pd.DataFrame, observed: pd.DataFrame, names: dict[str, str], scheme: Scheme) -> Component:
    skus = [sku for sku in names if sku in set(curves["sku"])]
    choice = dmc.MultiSelect(
        id="models-products",
        data=[{"value": sku, "label": names.get(sku, sku)} for sku in skus],
        value=skus[:_PRODUCTS],
        searchable=True,
        size="xs",
        className="choice",
        **aria(label="Products"),
    )
    return card(
        "Demand as the champion sees it",
        html.Div(evidence.curves_of(curves, observed, names, skus[:_PRODUCTS], scheme), id="models-curves"),
        caption=f"Chance of sale over price. Blue: newest curve, grey: the ones before it. Squares: what shoppers "
        f"did on the newest {_DATES} priced days, with 95 % intervals.",
        right=choice,
    )


def _versions(monitor: Monitor) -> tuple[Version, ...]:
    return versions_of(monitor.reader.ask("judged_versions", ("model_versions", "champions")))


def _curves_and_observed(monitor: Monitor) -> tuple[pd.DataFrame, pd.DataFrame]:
    curves = monitor.reader.ask("curves_by_date", ("demand_curves",), n_dates=_DATES)
    observed = monitor.reader.ask("observed_by_price", ("demand_curves", "demand_cells"), n_dates=_DATES)
    return curves, observed


def _names(monitor: Monitor) -> dict[str, str]:
    return {product.sku: f"{product.icon} {product.name}".strip() for product in monitor.catalog.read().products}


PAGE = Page("models", "/models", "Models", "models", 3, layout, wire)
