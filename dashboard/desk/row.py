"""One row of the desk in full: why, its demand, what it sold, what limits it, and who decided; a row opens with it."""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import dash_mantine_components as dmc
import numpy as np
import pandas as pd
from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from catalog.arrays import Floats
from catalog.clocks import WallClock
from catalog.records.product import Product
from dashboard.components import CLOSE, SOLD, chart, table
from dashboard.data.desk.acts import with_changes
from dashboard.data.desk.price_desk import Sheet
from dashboard.data.desk.rows import Row
from dashboard.desk.needs import price_line, reason_of
from dashboard.desk.prices import act_button
from dashboard.figures import desk as figures
from dashboard.figures.prices import demand
from dashboard.formats import UNKNOWN, count, day, euros
from dashboard.monitor import Monitor
from dashboard.pages.prices_cards import told_of
from dashboard.theme import Scheme
from plugins.own_store.draws.drawn_prices import TABLE as DRAWS

ROW, OPENED = "desk-row", "desk-row-opened"
"""The drawer, whose id `assets/desk.js` knows, and what stands in it."""

_DAYS = 7
_ACTS = {"proposed": "proposed", "approved": "approved", "rejected": "rejected", "withdrawn": "taken back"}
_DEMAND_DAYS, _PRICE_DAYS, _WEEK = 28, 30, 7
_SURE = 1.96  # standard deviations
_DECIDED = {"approved": "approved", "rejected": "rejected", "withdrawn": "ended"}


def row_drawer() -> Component:
    """Place the drawer that a callback opens for a row."""
    return dmc.Drawer(
        html.Div(id=OPENED, className="desk-edit"), id=ROW, title="Price", position="right", size="lg", **CLOSE
    )


def wire_row(app: Dash, monitor: Monitor, act: str, looks: str) -> None:
    """Let the drawer open for the row that the browser's act names.

    `act` and `looks` are the ids of that act, and of the store that says `light` or `dark`.
    """

    @app.callback(
        Output(OPENED, "children"),
        Output(ROW, "opened"),
        Output(ROW, "title"),
        Input(act, "data"),
        State(looks, "data"),
        prevent_initial_call=True,
    )
    def look(question: dict[str, object] | None, scheme: Scheme | None) -> tuple[list[Component], bool, str]:
        sheet = monitor.desk.sheet()
        rows = sheet.chosen(question["ids"]) if question and question["what"] == "look" else []  # type: ignore[arg-type]
        if not rows:
            raise PreventUpdate
        (row,) = with_changes(monitor.desk, rows[:1])
        return opened(monitor, sheet, row, scheme or "light"), True, row.title


def opened(monitor: Monitor, sheet: Sheet, row: Row, scheme: Scheme) -> list[Component]:
    """Show everything about a row, and what can be done about it."""
    product, clock = sheet.catalog.product(row.sku), sheet.catalog.store.clock_of(row.store)
    query = urlencode({"product": row.sku, "store": row.store, "day": str(row.date)})
    decide = [act_button("Approve", "approve", look="filled", row=row), act_button("Reject…", "reject", row=row)]
    acts = [
        *(decide if row.decision == "waits" else []),
        act_button("Edit…", "edit", row=row),
        act_button("Freeze…", "freeze", row=row),
    ]
    facts = table(["State", row.told], _facts(row, product), width=240)
    return [
        dmc.Text(f"{row.sku} · {row.category} · {day(row.date)}", size="sm", c="dimmed"),
        price_line(row),
        dmc.Text(reason_of(row)),
        html.Div(acts, className="desk-change-acts"),
        *evidence(monitor, row, clock, scheme),
        facts,
        *_rivals(row),
        *_sold(monitor, row),
        html.Ul([html.Li(line) for line in _decided(row, clock)], className="findings"),
        dmc.Anchor("All prices of this product and why", href=f"/prices?{query}", size="sm"),
    ]


def _facts(row: Row, product: Product) -> list[list[str]]:
    cost = euros(product.unit_cost) if product.unit_cost else UNKNOWN
    return [
        ["Will stand at the next tick", euros(row.stands)],
        ["Limit that binds", row.limit or "none"],
        ["Floor to ceiling", f"{euros(product.floor)} to {euros(product.ceiling)}"],
        ["Base price", euros(product.base_price)],
        ["Unit cost", cost],
        ["On the shelf", UNKNOWN if row.shelf is None else f"{count(row.shelf.stock)} units"],
        ["Price book", UNKNOWN if row.book_date is None else f"{day(row.book_date)}, model {row.model_version}"],
    ]


def _rivals(row: Row) -> list[Component]:
    """List the prices of rivals that count; nothing where there is none."""
    rows = [
        [rival.rival, euros(rival.price), told_of(row.stands / rival.price), f"{rival.seen_at:%d %b}"]
        for rival in row.rivals
    ]
    names = ["Rival", "Price", "Ours is", "Seen"]
    return [table(names, rows, numbers=(1, 2), width=300)] if rows else []


def _sold(monitor: Monitor, row: Row) -> list[Component]:
    """List what the product sold in the store on the last days; nothing where it never did."""
    if not monitor.reader.dates(*SOLD):
        return []
    first = row.date - dt.timedelta(days=_DAYS)
    days = monitor.reader.ask("days_of_product", SOLD, first=first, last=row.date, store=row.store, sku=row.sku)
    rows = [
        [day(date), euros(price), count(units), UNKNOWN if pd.isna(missed) else count(missed)]
        for date, price, units, missed in days.itertuples(index=False, name=None)
    ]
    return [table(["Day", "Mean price", "Sold", "Met it sold out"], rows, numbers=(1, 2, 3), width=300)] if rows else []


def _decided(row: Row, clock: WallClock) -> Iterator[str]:
    """Say what happened to the proposal, the newest last."""
    if row.change is None:
        yield "Nobody has decided about it."
        return
    for event in row.change.events:
        reason = f": {event.terms.reason}" if event.event != "approved" and event.terms.reason else ""
        yield f"{_ACTS[event.event]} by {event.by}, {clock.local(event.recorded_at):%d %b %H:%M}{reason}"


def evidence(monitor: Monitor, row: Row, clock: WallClock, scheme: Scheme) -> list[Component]:
    """Show what is known of a row's demand, what the last week taught, and its prices of the last month."""
    if not monitor.reader.has_warehouse():
        return []
    chart = _drawn(monitor, row, scheme) if monitor.reader.dates(DRAWS) else _believed(monitor, row, scheme)
    return [*chart, *_openings(monitor, row, clock, scheme)]


def _believed(monitor: Monitor, row: Row, scheme: Scheme) -> list[Component]:
    """Show the chance of sale by price, of all stores, and how what is believed of it moved since a week before."""
    if row.book_date is None:
        return []
    date, through = row.book_date, row.book_date - dt.timedelta(days=_WEEK)
    curve = monitor.reader.ask("product_curve", ("demand_curves",), on=date, date=date, sku=row.sku)
    if not len(curve):
        return []
    figure = figures.marked(demand(curve, _observed(monitor, row.sku, date, _DEMAND_DAYS), scheme), _marks(row), scheme)
    drawn = chart("desk-row-demand", f"Chance of sale of {row.name} by price", figure)
    moved = monitor.reader.ask("belief_moved", ("demand_curves",), date=date, through=through, sku=row.sku)
    dates = moved["business_date"].dt.date
    since = dates.min()
    before, now = moved[dates == since], moved[dates == date]
    if since == date:
        sentence = f"Believed so far: {buyers(row.proposed, now)}."
    else:
        seen = _observed(monitor, row.sku, date, (date - since).days)
        sentence = learned(row.proposed, since, before, now, int(seen["n_offered"].sum()))
    return [_headed(f"Demand in all stores, last {_DEMAND_DAYS} days", drawn), dmc.Text(sentence, size="sm")]


def learned(price: float, since: dt.date, before: pd.DataFrame, now: pd.DataFrame, decisions: int) -> str:
    """Say how what is believed of a price, EUR, moved.

    Parameters
    ----------
    since, before
        A date, and the rows of `belief_moved` of it, ascending in price.
    now
        The rows of the date to price.
    decisions
        How many shoppers decided since.
    """
    was = round(100 * _at(before, "p_sale", price))
    stays = was == round(100 * _at(now, "p_sale", price))
    moved, beside = ("did not move", "") if stays else ("moved", f", it was {was}")
    return (
        f"Since {day(since)} the belief {moved}: {buyers(price, now)}{beside}. {count(decisions)} decisions taught it."
    )


def buyers(price: float, curve: pd.DataFrame) -> str:
    """Say how many of 100 shoppers are believed to buy at a price, EUR, and how sure that is."""
    wide = 50 * (_at(curve, "p_sale_high", price) - _at(curve, "p_sale_low", price))
    sure = "" if np.isnan(wide) else f" (certain to ±{max(wide, 1):.0f})"
    return f"of 100 shoppers {100 * _at(curve, 'p_sale', price):.0f} buy at {euros(price)}{sure}"


def _at(curve: pd.DataFrame, name: str, price: float) -> float:
    return float(np.interp(price, curve["price"], curve[name].astype(float)))


def _observed(monitor: Monitor, sku: str, date: dt.date, n_days: int) -> pd.DataFrame:
    span = {"first": date - dt.timedelta(days=n_days), "last": date - dt.timedelta(days=1)}
    question: dict[str, Any] = {"sku": sku, "candidates": monitor.catalog.current().store.ladder_prices} | span
    return monitor.reader.ask("observed_demand", ("demand_cells", "products"), **question)


def _drawn(monitor: Monitor, row: Row, scheme: Scheme) -> list[Component]:
    """Show the units a day by price in a store that sells by itself, and how the believed response moved."""
    first = row.date - dt.timedelta(days=_DEMAND_DAYS)
    span: dict[str, Any] = {"first": first, "store": row.store, "sku": row.sku, "last": row.date}
    draws = monitor.reader.ask("draws_of_product", (DRAWS,), **span)
    if not len(draws):
        return []
    seen, newest = monitor.reader.ask("drawn_demand", ("exposures",), **span), draws.iloc[-1]
    price_now = float(newest["shelf_price"])
    known = [price_now, row.proposed, *seen["price"]]
    prices: Floats = np.linspace(min(known), max(known), 30)
    a_day = newest["expected_units"] / ((newest["through"] - newest["business_date"]).days + 1)
    figure = figures.units_a_day(seen, prices, a_day * (prices / price_now) ** newest["response"], scheme)
    marks = _marks(row) | {"your own": price_now}
    drawn = chart("desk-row-demand", f"Units of {row.name} a day by price", figures.marked(figure, marks, scheme))
    old = draws[draws["business_date"] <= newest["business_date"] - dt.timedelta(days=_WEEK)]
    text = dmc.Text(answered(newest if old.empty else old.iloc[-1], newest), size="sm")
    return [_headed(f"Sales in this store, last {_DEMAND_DAYS} days", drawn), text]


def answered(before: "pd.Series[float]", now: "pd.Series[float]") -> str:
    """Say how sales are believed to answer to a price that is 10 % higher, and what was believed a week before.

    Parameters
    ----------
    before, now
        Rows of `draws_of_product`; the same where there is one.
    """
    was, falls = (round(100 * (1 - 1.1 ** belief["response"])) for belief in (before, now))
    sure = _SURE * now["response_deviation"] * 100 * np.log(1.1)
    sentence = f"10 % dearer sells {falls} % less"
    if before is now:
        return f"Believed so far: {sentence}; certain to ±{sure:.0f}."
    since = pd.Timestamp(before["business_date"]).date()
    moved, beside = ("did not move", "") if was == falls else ("moved", f", it was {was} %")
    return f"Since {day(since)} the belief {moved}: {sentence}{beside}; certain to ±{sure:.0f}."


def _openings(monitor: Monitor, row: Row, clock: WallClock, scheme: Scheme) -> list[Component]:
    """Show the opening prices of the last month with what people decided; nothing where the store never opened."""
    if not monitor.reader.dates(*SOLD):
        return []
    place: dict[str, Any] = {"store": row.store, "sku": row.sku, "first": row.date - dt.timedelta(days=_PRICE_DAYS)}
    days = monitor.reader.ask("openings_of_product", SOLD, **place, last=row.date)
    if len(days) < 2:  # noqa: PLR2004 - a line wants two points
        return []
    acts = monitor.reader.ask("acts_on_product", ("price_changes",), **place)
    sentences = [
        f"{kind} {_DECIDED[event]} by {by}"
        for event, kind, by in zip(acts["event"], acts["kind"], acts["done_by"], strict=True)
    ]
    dates = [clock.date_of(moment.to_pydatetime()) for moment in acts["effective_at"]]
    last = float(days["price_eur"].iloc[-1])
    shown = pd.DataFrame({"date": dates, "price_eur": acts["price_eur"].fillna(last), "told": sentences})
    described = f"Opening prices of {row.title} over {_PRICE_DAYS} days"
    drawn = chart("desk-row-prices", described, figures.openings(days, shown, scheme))
    return [_headed(f"Opening prices, last {_PRICE_DAYS} days", drawn)]


def _headed(words: str, drawn: Component) -> Component:
    return html.Div([dmc.Text(words, size="xs", c="dimmed"), drawn])


def _marks(row: Row) -> dict[str, float]:
    """Return the prices that are marked, EUR, by what they are."""
    marks = {"proposed": row.proposed} if row.now is None else {"now": row.now, "proposed": row.proposed}
    return marks if row.stands in marks.values() else marks | {"will stand": row.stands}
