"""The day in four numbers, and one card for each product on the shelf."""

import datetime as dt
from collections.abc import Sequence

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.cards.trend import trend
from dashboard.components import aria, stat
from dashboard.data.shelf_choice import PAGE_SIZE, ShelfPage
from dashboard.data.store_day import DayNow, ProductNow, UnitsThatKeep
from dashboard.data.versions import Version
from dashboard.figures.sparkline import sparkline
from dashboard.formats import change, count, days, euros, points
from dashboard.theme import Scheme, colour

_TOGETHER = 4  # ticks of a trend
_LOTS = 3  # ages that a card tells apart
_NO_PICTURE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


def stats(
    now: DayNow, before: DayNow | None, model: Version | None, model_before: Version | None, date: dt.date
) -> list[Component]:
    """Show revenue, units, stock and the model behind the prices, each against the day before at the same time."""
    against = "vs the day before, same time" if before else "no day before to compare with"
    return [
        stat(
            "Revenue",
            euros(now.revenue),
            change(now.revenue, before.revenue) if before else None,
            against,
            trend(_by_parts(now.sales["revenue_eur"]), "revenue through the day"),
        ),
        stat(
            "Units sold",
            count(now.units),
            change(now.units, before.units) if before else None,
            against,
            trend(_by_parts(now.sales["count_units"]), "units sold through the day"),
        ),
        _stock_stat(now, before, against),
        _model_stat(model, model_before, date),
    ]


def shelf_cards(products: Sequence[ProductNow], n_ticks: int, scheme: Scheme) -> list[Component]:
    """Show each product as a card, in the order of the shelf."""
    return [_card(product, n_ticks, colour(0, scheme)) for product in products]


def shelf_found(page: ShelfPage) -> str:
    """Say which of the products that match are shown: `Products 25 to 48 of 200`."""
    if not page.products:
        return "No product matches"
    first = (page.page - 1) * PAGE_SIZE + 1
    return f"Products {count(first)} to {count(first + len(page.products) - 1)} of {count(page.found)}"


def _stock_stat(now: DayNow, before: DayNow | None, against: str) -> Component:
    name = "Mean stock per product"
    if now.mean_stock is None:
        return stat(name, "unknown", None, "no stock was recorded")
    if before is None or before.mean_stock is None:
        return stat(name, f"{now.mean_stock:,.1f} units", None, "no stock of the day before to compare with")
    moved = change(now.mean_stock, before.mean_stock)
    drawn = trend(now.course.stock.mean(axis=1).dropna().tolist(), name)
    return stat(name, f"{now.mean_stock:,.1f} units", moved, against, drawn, more_is_better=False)


def _by_parts(sold: pd.Series) -> list[float]:
    """Sum what was sold in each tick over some ticks together; the last ones, until they are over, are left out."""
    whole = sold.iloc[: len(sold) - len(sold) % _TOGETHER]
    return whole.groupby(whole.index // _TOGETHER).sum().tolist()


def _model_stat(model: Version | None, before: Version | None, date: dt.date) -> Component:
    if model is None:
        return stat("Model", "none", None, "these prices come from no model")
    by_hand = "" if model.promoted else ", promoted by hand"
    told = f"{days((date - model.trained_through).days)} old{by_hand}, calibration error {_error(model)}"
    if before is not None and before is not model:
        told += f"; the day before, version {before.number}: {_error(before)}"
    return stat("Model", f"Version {model.number}", None, told)


def _error(model: Version) -> str:
    return points(model.metrics.get("calibration_error", float("nan")))


def _card(product: ProductNow, n_ticks: int, line: str) -> Component:
    price = "no price" if product.price is None else euros(product.price)
    moved = change(product.price or 0.0, product.base_price or 0.0) if product.price else None
    against = "base price" if moved and product.price == product.base_price else f"{moved} vs base" if moved else ""
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
                    html.Span(against, className="product-moved"),
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
        return [dmc.Badge("sold out", color="gray", variant="filled", size="sm", className="badge-out")]
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
    ends = [html.Div(f"{count(product.last_day)} thrown away tonight if unsold", className="product-line")]
    lines = [html.Div([left, *_marks(product)], className="product-line"), *(ends if product.last_day else [])]
    if product.opened_with:
        lines.append(html.Div(_lots_in_words(product.opened_with), className="product-line"))
    return html.Div([bar, *lines], className="stock")


def _lots_in_words(lots: Sequence[UnitsThatKeep]) -> str:
    """Say how long the units keep that a product opened with: `opened with 12 for today, 40 for 2 days`."""
    told = [f"{count(lot.units)} {_for_how_long(lot.days_left)}" for lot in lots[:_LOTS]]
    more = sum(lot.units for lot in lots[_LOTS:])
    return "opened with " + ", ".join([*told, *([f"{count(more)} for longer"] if more else [])])


def _for_how_long(days_left: int | None) -> str:
    if days_left is None:
        return "that keep"
    return "for today" if days_left == 1 else f"for {days_left} days"
