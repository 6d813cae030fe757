"""Look-ups in one product's price book, and what people did to prices while time went by."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from catalog.clocks import WallClock
from dashboard.data.reader import Reader
from dashboard.formats import count, euros


@dataclass(frozen=True)
class BookLine:
    """One line of a price book.

    Attributes
    ----------
    stock, ticks_left
        The state it is for: units on the shelf and ticks until closing, the current one included.
    price, unconstrained_price
        EUR, after and before the limits.
    p_sale
        Chance that a shopper who considers the product buys it.
    unit_value
        What one more unit kept is worth, EUR; 0 where the policy does not value stock.
    binding_rule
        The last limit that changed the price, else the policy's rule.
    """

    stock: int
    ticks_left: int
    price: float
    unconstrained_price: float
    p_sale: float
    unit_value: float
    binding_rule: str


def line_at(book: pd.DataFrame, stock: int, ticks_left: int, cost: float = 0.0) -> BookLine:
    """Look a state up in the rows of `product_book`; a state beyond the book is read at its edge.

    Parameters
    ----------
    cost
        What a unit costs, EUR, where margin or profit is maximised: a book tells what a unit is worth beyond it.
    """
    stock = min(max(stock, int(book["inventory_level"].min())), int(book["inventory_level"].max()))
    ticks_left = min(max(ticks_left, int(book["ticks_left"].min())), int(book["ticks_left"].max()))
    line = book[(book["inventory_level"] == stock) & (book["ticks_left"] == ticks_left)].iloc[0]
    return BookLine(
        stock,
        ticks_left,
        float(line["price"]),
        float(line["unconstrained_price"]),
        float(line["p_sale"]),
        cost + (0.0 if pd.isna(line["unit_value"]) else float(line["unit_value"])),
        str(line["binding_rule"]),
    )


_MOST = 12
_KINDS = {"price": "approved", "override": "override", "freeze": "frozen", "kill_switch": "kill switch"}


class PersonsAct(NamedTuple):
    """One thing that people did: from when it counts, in the store's time, and what it is in a few words."""

    at: dt.datetime
    label: str


def marks_of(
    reader: Reader, clock: WallClock, store: str, sku: str | None, first: dt.date, last: dt.date
) -> list[PersonsAct]:
    """Return the newest marks of a store, of one product or of all, on the dates from `first` through `last`."""
    if not reader.dates("price_changes"):
        return []
    frame = reader.ask(
        "acts_of_people",
        ("price_changes",),
        store=store,
        sku=sku,
        last=last,
        first_moment=clock.at(dt.datetime.combine(first, dt.time())),
        last_moment=clock.midnight_after(last),
        most=_MOST,
    )
    return [PersonsAct(clock.local(row["counts_from"]), _label(row)) for row in frame.to_dict("records")]


def _label(row: dict[Any, Any]) -> str:
    what = "promotion" if row["announced"] else _KINDS[row["kind"]]
    many = f"{count(row['count_changes'])} " if row["count_changes"] > 1 else ""
    price = "" if many or pd.isna(row["new_price"]) else f" {euros(row['new_price'])}"
    return f"{many}{what}{' ends' if row['event'] == 'withdrawn' else price}"
