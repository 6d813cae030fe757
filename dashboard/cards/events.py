"""The day as a list of events: visits, price changes and drift."""

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import icon
from dashboard.formats import euros

_KINDS = {
    "bought": "sale",
    "too_expensive": "walk",
    "not_bought": "walk",
    "out_of_stock": "walk",
    "repriced": "priced",
    "explored": "explored",
    "drift": "drift",
}
_ICONS = {"sale": "sale", "walk": "walk", "priced": "prices", "explored": "explored", "drift": "problem"}


def event_list(events: pd.DataFrame, names: dict[str, str]) -> list[Component]:
    """Show events as lines, newest first; `names` are the products' names by sku."""
    if not len(events):
        return [dmc.Text("No visits yet.", c="dimmed", size="sm")]
    return [_line(event, names) for event in events.itertuples()]


def _line(event: object, names: dict[str, str]) -> Component:
    kind = str(event.kind)  # type: ignore[attr-defined] # a named tuple of pandas
    look = _KINDS[kind]
    happened = event.happened_at  # type: ignore[attr-defined]
    return html.Li(
        [
            html.Span(f"{happened:%H:%M}", className="event-time"),
            icon(_ICONS[look]),
            html.Span(_sentence(kind, event, names), className="event-text"),
        ],
        className=f"event event-{look}",
    )


def _sentence(kind: str, event: object, names: dict[str, str]) -> str:
    if kind in {"repriced", "explored", "drift"}:
        return str(event.reason)  # type: ignore[attr-defined]
    who = event.shopper_name if isinstance(event.shopper_name, str) else "A shopper"  # type: ignore[attr-defined]
    what = names.get(event.sku, event.product_name)  # type: ignore[attr-defined]
    price = euros(event.price_eur)  # type: ignore[attr-defined]
    if kind == "bought":
        return f"{who} bought {what} for {price}"
    if kind == "not_bought":
        return f"{who} left {what}, which cost {price}"
    return (
        f"{who} left {what}: {price} was too expensive" if kind == "too_expensive" else f"{who} found {what} sold out"
    )
