"""One row of the desk in full: why, its demand, what it sold, what limits it, and who decided; a row opens with it."""

import datetime as dt
from collections.abc import Iterator
from urllib.parse import urlencode

import dash_mantine_components as dmc
import pandas as pd
from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from catalog.clocks import WallClock
from catalog.records.product import Product
from dashboard.cards.desk_evidence import evidence
from dashboard.cards.desk_needs import price_line, reason_of
from dashboard.cards.desk_prices import act_button
from dashboard.cards.rivals import told_of
from dashboard.components import CLOSE, table
from dashboard.data.desk.acts import with_changes
from dashboard.data.desk.price_desk import Sheet
from dashboard.data.desk.rows import Row
from dashboard.formats import UNKNOWN, count, day, euros
from dashboard.monitor import Monitor
from dashboard.pickers import SOLD
from dashboard.theme import Scheme

ROW, OPENED = "desk-row", "desk-row-opened"
"""The drawer, whose id `assets/desk.js` knows, and what stands in it."""

_DAYS = 7
_ACTS = {"proposed": "proposed", "approved": "approved", "rejected": "rejected", "withdrawn": "taken back"}


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
    def look(asked: dict[str, object] | None, scheme: Scheme | None) -> tuple[list[Component], bool, str]:
        sheet = monitor.desk.sheet()
        found = sheet.chosen(asked["ids"]) if asked and asked["what"] == "look" else []  # type: ignore[arg-type]
        if not found:
            raise PreventUpdate
        (row,) = with_changes(monitor.desk, found[:1])
        return opened(monitor, sheet, row, scheme or "light"), True, row.title


def opened(monitor: Monitor, sheet: Sheet, row: Row, scheme: Scheme) -> list[Component]:
    """Show everything about a row, and what can be done about it."""
    product, clock = sheet.catalog.product(row.sku), sheet.catalog.store.clock_of(row.store)
    asked = urlencode({"product": row.sku, "store": row.store, "day": str(row.date)})
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
        dmc.Anchor("All prices of this product and why", href=f"/prices?{asked}", size="sm"),
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
        [one.rival, euros(one.price), told_of(row.stands / one.price), f"{one.seen_at:%d %b}"] for one in row.rivals
    ]
    names = ["Rival", "Price", "Ours is", "Seen"]
    return [table(names, rows, numbers=(1, 2), width=300)] if rows else []


def _sold(monitor: Monitor, row: Row) -> list[Component]:
    """List what the product sold in the store on the last days; nothing where it never did."""
    if not monitor.reader.dates(*SOLD):
        return []
    first = row.date - dt.timedelta(days=_DAYS)
    found = monitor.reader.ask("days_of_product", SOLD, first=first, last=row.date, store=row.store, sku=row.sku)
    rows = [
        [day(date), euros(price), count(units), UNKNOWN if pd.isna(missed) else count(missed)]
        for date, price, units, missed in found.itertuples(index=False, name=None)
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
