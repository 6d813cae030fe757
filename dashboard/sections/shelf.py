"""The shelf as cards and the day as a list of events."""

from collections.abc import Sequence

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import aria, empty, icon, stat
from dashboard.data.health import ModelNow
from dashboard.data.store_day import DayNow, ProductNow
from dashboard.figures.store import sparkline
from dashboard.theme import Scheme, change, colour, count, euros, share

MOST_CARDS = 60
_NO_PICTURE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
_KINDS = {
    "bought": "sale",
    "too_expensive": "walk",
    "out_of_stock": "walk",
    "repriced": "priced",
    "tried": "tried",
    "drift": "drift",
}
_ICONS = {"sale": "sale", "walk": "walk", "priced": "prices", "tried": "tried", "drift": "problem"}


def stats(now: DayNow, before: DayNow | None, model: ModelNow | None, model_before: ModelNow | None) -> list[Component]:
    """Show revenue, units, stock and model health, each against the day before at the same time."""
    against = "vs the day before, same time" if before else "no day before to compare with"
    return [
        stat("Revenue", euros(now.revenue), change(now.revenue, before.revenue) if before else None, against),
        stat("Units sold", count(now.units), change(now.units, before.units) if before else None, against),
        stat(
            "Average stock of a product",
            f"{now.mean_stock:,.1f} units",
            change(now.mean_stock, before.mean_stock) if before else None,
            against,
        ),
        _model_health(model, model_before),
    ]


def shelf_cards(products: Sequence[ProductNow], n_ticks: int, scheme: Scheme) -> list[Component]:
    """Show each product as a card, in the order of the shelf."""
    cards = [_card(product, n_ticks, colour(0, scheme)) for product in products[:MOST_CARDS]]
    if len(products) > MOST_CARDS:
        cards.append(dmc.Text(f"and {count(len(products) - MOST_CARDS)} more products", c="dimmed", size="sm"))
    return cards


def event_list(events: pd.DataFrame, names: dict[str, str]) -> list[Component]:
    """Show events as lines, newest first; `names` are the products' names by sku."""
    if not len(events):
        return [dmc.Text("Nobody has looked at the shelf yet.", c="dimmed", size="sm")]
    return [_line(event, names) for event in events.itertuples()]


def nothing_sold() -> Component:
    """Stand in for the page before the first day."""
    return empty(
        "No store day yet",
        "The monitor shows what stands in the warehouse, and there is nothing in it. One command plays three stores "
        "for two weeks, trains the models and prices the shelf, in about a minute.",
        "shelfprice demo",
    )


def _model_health(model: ModelNow | None, before: ModelNow | None) -> Component:
    if model is None:
        return stat("Model health", "no champion", None, "these prices come from no model")
    days = "1 day" if model.age_days == 1 else f"{model.age_days} days"
    told = f"{'promoted' if model.promoted else 'declined'} by the gate, learned until {days} before"
    if before is not None:
        told += f"; the day before v{before.version}, {share(before.calibration_error)} off"
    return stat("Model health", f"v{model.version} · {share(model.calibration_error)} off", None, told)


def _card(product: ProductNow, n_ticks: int, line: str) -> Component:
    price = "no price" if product.price is None else euros(product.price)
    moved = change(product.price or 0.0, product.base_price or 0.0) if product.price else None
    picture = sparkline(product.prices, n_ticks, line)
    lowest, highest = (min(product.prices), max(product.prices)) if product.prices else (0.0, 0.0)
    told = f"price since opening, between {euros(lowest)} and {euros(highest)}"
    return dmc.Paper(
        [
            html.Div(
                [
                    html.Span(product.icon, className="product-icon", **aria(hidden="true")),
                    html.Span(product.name, className="product-name", title=product.name),
                ],
                className="product-head",
            ),
            html.Div(
                [
                    html.Span(price, className="product-price"),
                    html.Span(f"{moved} on base" if moved else "", className="product-moved"),
                ],
                className="product-line",
            ),
            html.Img(src=picture or _NO_PICTURE, alt=told, title=told, className="sparkline"),
            _stock_bar(product),
            html.Div(
                [html.Span(f"{count(product.units)} sold"), html.Strong(euros(product.revenue))],
                className="product-line product-sold",
            ),
        ],
        withBorder=True,
        p="sm",
        className=f"product{' low' if product.is_low else ''}",
    )


def _marks(product: ProductNow) -> list[Component]:
    if product.stock == 0:
        return [dmc.Badge("sold out", color="gray", variant="filled", size="sm")]
    if product.is_low:
        return [dmc.Badge("low stock", color="orange", variant="light", size="sm")]
    return []


def _stock_bar(product: ProductNow) -> Component:
    if product.stock is None:
        return dmc.Text("stock unknown", c="dimmed", size="xs")
    par = product.par_stock or max(product.stock, 1)
    part = min(1.0, product.stock / par)
    bar = dmc.Progress(
        value=100 * part,
        color="orange" if product.is_low else "ocean",
        size="sm",
        **aria(label=f"{product.stock} of {par} units left"),
    )
    left = html.Span(f"{count(product.stock)} of {count(par)} left")
    return html.Div([bar, html.Div([left, *_marks(product)], className="product-line")], className="stock")


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
    if kind in {"repriced", "tried", "drift"}:
        return str(event.reason)  # type: ignore[attr-defined]
    who = event.shopper_name if isinstance(event.shopper_name, str) else "A shopper"  # type: ignore[attr-defined]
    what = names.get(event.sku, event.product_name)  # type: ignore[attr-defined]
    price = euros(event.price_eur)  # type: ignore[attr-defined]
    if kind == "bought":
        return f"{who} bought {what} for {price}"
    return f"{who} left {what}: {price} was too much" if kind == "too_expensive" else f"{who} found no {what} left"
