"""The Models page: which model prices the shelf, how well it predicts, and why the gate promoted it."""

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from dashboard.components import SCHEME, aria, card, empty, fold, frame, notice, scheme_of, wire_content
from dashboard.data.versions import Version, champion_of, mlflow_pages, predicted
from dashboard.formats import day
from dashboard.monitor import Monitor, Page
from dashboard.pages import models_cards
from dashboard.pages.overview_cards import no_data
from dashboard.theme import Scheme
from warehouse.databases import trainings_page
from warehouse.origin import SOLD

_TABLES = ("model_versions", "champions", "demand_curves", "demand_cells")
_DATES = 7  # newest dates whose predictions are compared with what was observed
_PRODUCTS = 6  # curves drawn at first
_CHALLENGERS = 2  # versions beside the champion


def layout(_monitor: Monitor) -> Component:
    """Build the frame of the page; what it shows comes with the first callback."""
    return frame("models", "Models", "Which model sets prices, what that earns, and how well it predicts.")


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""

    def stamp() -> str:
        shown = monitor.reader.stamp(*_TABLES, *models_cards.TABLES)
        return f"{monitor.next_command()} {mlflow_pages(monitor.settings)} {shown}"

    wire_content(app, "models", stamp, lambda scheme: content(monitor, scheme))

    @app.callback(Output("models-gate", "children"), Input("models-judged", "value"), prevent_initial_call=True)
    def judge(number: str | None) -> Any:
        version = next((version for version in monitor.versions() if version.number == number), None)
        return models_cards.verdict(version) if version else no_update

    @app.callback(
        Output("models-curves", "children"),
        Input("models-products", "value"),
        State(SCHEME, "data"),
        prevent_initial_call=True,
    )
    def draw(skus: list[str] | None, scheme: str | None) -> Any:
        curves, observed = curves_and_observed(monitor)
        command = monitor.next_command()
        return models_cards.curves_of(curves, observed, _names(monitor), skus or [], scheme_of(scheme), command)


def content(monitor: Monitor, scheme: Scheme) -> Component:
    """Draw what the page shows now."""
    if not monitor.settings.warehouse_file.exists():
        return no_data(monitor, "No data yet", "No day has been sold and no model trained.")
    versions = monitor.versions()
    if not versions:
        text = "A model is trained on decisions and judged on later ones."
        return empty("No model yet", text, monitor.next_command())
    curves, observed = curves_and_observed(monitor)
    seen = predicted(curves, observed)
    dates = monitor.reader.dates(*SOLD)
    changes = monitor.reader.ask("champion_history", ("champions", "interactions", "substitutions"))
    parts = [
        *_warnings(versions, monitor),
        models_cards.model_verdict(
            versions, changes, trainings_page(monitor.settings) if mlflow_pages(monitor.settings) else None
        ),
        models_cards.model_health(versions, dates[-1] if dates else None, seen),
        _curves_card(curves, observed, _names(monitor), scheme, monitor.next_command()),
        html.Div(
            [models_cards.calibration_card(seen, scheme), models_cards.timeline(versions, scheme)],
            className="grid grid-2",
        ),
        _gate_fold(versions),
        models_cards.drift_fold(monitor),
        *models_cards.changes(changes),
        _comparison_fold(versions, monitor),
        fold(
            "Candidates of the newest training",
            f"{len(versions[0].candidates)} kinds of model, judged through {day(versions[0].judged_through)}.",
            models_cards.candidates(versions[0]),
            caption="All were trained on the same days and judged on the same later ones, so their scores compare.",
        ),
    ]
    return html.Div(parts, className="stack")


def _warnings(versions: tuple[Version, ...], monitor: Monitor) -> list[Component]:
    text = (
        "The gate has promoted no version, so base prices stand. Its reasons are below; more decisions at varied "
        "prices usually help."
    )
    command = None if champion_of(versions) else monitor.next_command()
    return [] if champion_of(versions) else [notice("No champion", text, command=command, mood="warning")]


def _comparison_fold(versions: tuple[Version, ...], monitor: Monitor) -> Component:
    """Compare the champion with the newest versions beside it."""
    champion, pages = champion_of(versions), mlflow_pages(monitor.settings)
    others = [version for version in versions if version is not champion][:_CHALLENGERS]
    shown = [*([champion] if champion else []), *others]
    return fold(
        "Champion and challengers",
        "Each measure side by side.",
        models_cards.side_by_side(shown, pages),
        *([] if pages else [models_cards.no_pages_hint()]),
        caption="★ best of the row; ↓ lower is better, ↑ higher is better. Versions are judged on different days; the "
        "gate compares two of them on the same days.",
    )


def _gate_fold(versions: tuple[Version, ...]) -> Component:
    newest = versions[0]
    offered: Any = [{"value": version.number, "label": f"Version {version.number}"} for version in versions]
    look = {"allowDeselect": False, "size": "xs", "w": 140, **aria(label="Version")}
    choice = dmc.Select(id="models-judged", data=offered, value=newest.number, **look)
    met = sum(condition.met for condition in newest.conditions)
    finding = f"Version {newest.number} meets {met} of {len(newest.conditions)} conditions."
    return fold("What the gate asked", finding, choice, html.Div(models_cards.verdict(newest), id="models-gate"))


def _curves_card(
    curves: pd.DataFrame, observed: pd.DataFrame, names: dict[str, str], scheme: Scheme, command: str | None
) -> Component:
    skus = [sku for sku in names if sku in set(curves["sku"])]
    offered: Any = [{"value": sku, "label": names.get(sku, sku)} for sku in skus]
    look = {"searchable": True, "size": "xs", "className": "choice", **aria(label="Products")}
    drawn = models_cards.curves_of(curves, observed, names, skus[:_PRODUCTS], scheme, command)
    return card(
        "Demand curves of the champion",
        html.Div(drawn, id="models-curves"),
        caption=f"Chance of sale over price. Blue: newest curve; grey: earlier ones. Squares: share that bought on "
        f"the newest {_DATES} priced days, with 95 % intervals.",
        right=dmc.MultiSelect(id="models-products", data=offered, value=skus[:_PRODUCTS], **look),
    )


def curves_and_observed(monitor: Monitor) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the newest demand curves, and what was observed on the days they were made for."""
    curves = monitor.reader.ask("curves_by_date", ("demand_curves",), n_dates=_DATES)
    observed = monitor.reader.ask("observed_by_price", ("demand_curves", "demand_cells"), n_dates=_DATES)
    return curves, observed


def _names(monitor: Monitor) -> dict[str, str]:
    return {product.sku: f"{product.icon} {product.name}".strip() for product in monitor.catalog.current().products}


PAGE = Page("models", "/models", "Models", "models", 4, layout, wire)
