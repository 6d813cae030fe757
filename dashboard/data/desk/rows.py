"""A row of the desk: a store's opening price of a product, why it is so, and what will stand."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dashboard.formats import shown_currency, store_name
from plugins.desk.price_changes.change import PriceChange
from plugins.desk.price_changes.consequence import OnShelf
from plugins.desk.price_changes.planned_day import Proceeds
from plugins.desk.price_sheets.files import TO_FILL, Cell, written
from plugins.desk.stickers import Sticker

State = Literal["waits", "passes", "approved", "rejected", "overridden"]
_COLUMNS = {
    "store": 9, "sku": 12, "product": 24, "category": 14, "date": 11, "now": 9, "proposed": 9, "stands": 9,
    "new_price": 10, "from": 11, "through": 11, "state": 28, "why": 60,
}  # fmt: skip


@dataclass(frozen=True)
class RivalPrice:
    """The newest price of a product at a rival, EUR for as much as we sell, and when it was seen, UTC."""

    rival: str
    price: float
    seen_at: dt.datetime


@dataclass(frozen=True)
class Row:
    """One product in one store. Prices in EUR.

    Attributes
    ----------
    now
        What a live store shows, else the middle price of its newest day; None when it never sold the product.
    proposed
        What waits or was decided; where nothing did, what the policy wants within the limits.
    stands
        What holds at the next tick: see `plugins.desk.standing`.
    gain
        What the plan that begins with the proposed price is expected to bring until closing more than `now` would, if
        it were kept, EUR; None where no model knows.
    why
        The reason for the proposed price, in a sentence.
    limit
        The limit that binds what stands, in words; empty where none does.
    decision, change
        What became of the proposal, and its price change; None where none was recorded, or none was read.
    state, told
        `overridden` where a person's price covers it, else the decision; and the same in words.
    unit_cost
        What a unit costs; 0 when it is not known.
    shelf
        How the product stands in the store at the next tick; None where no book knows it.
    plan, kept
        What the plan brings until closing, and what `now` would; None where no model knows.
    sticker
        What units on their last day carry beside the label; None where none does.
    model_version, book_date
        The model behind the price, and the date that its price book was made for; None where there is none.
    passed
        The id of the price change where it passed by rule, from which it is read by name: see `acts.with_changes`.
    rivals
        Prices of rivals that count, the cheapest first.
    """

    store: str
    sku: str
    name: str
    category: str
    date: dt.date
    is_live: bool
    now: float | None
    proposed: float
    stands: float
    gain: float | None
    why: str
    limit: str
    decision: State
    state: State
    told: str
    change: PriceChange | None
    unit_cost: float = 0.0
    shelf: OnShelf | None = None
    plan: Proceeds | None = None
    kept: Proceeds | None = None
    sticker: Sticker | None = None
    model_version: str | None = None
    book_date: dt.date | None = None
    passed: str | None = None
    rivals: tuple[RivalPrice, ...] = ()

    @property
    def id(self) -> str:
        """Store and product in one text, unique on the desk."""
        return f"{self.store}|{self.sku}"

    @property
    def title(self) -> str:
        """Product and store as people name them: `Milk in Köln Süd`."""
        return f"{self.name} in {store_name(self.store)}"

    @property
    def moved(self) -> float | None:
        """Change of the proposed price against `now`, as a share of it; None when unknown."""
        return self.proposed / self.now - 1 if self.now else None

    @property
    def is_recorded(self) -> bool:
        """Whether the proposal was recorded as a price change."""
        return self.change is not None or self.passed is not None


def sheet_of(rows: Sequence[Row], kind: str) -> bytes:
    """Return rows as a file of a kind (`plugins.desk.price_sheets.files`); named stores show their names."""
    has_names = any(store_name(row.store) != row.store for row in rows)
    columns = _COLUMNS | ({"store_name": 24} if has_names else {})
    cells = [[*_cells(row), *([store_name(row.store)] if has_names else [])] for row in rows]
    return written(kind, columns, cells, shown_currency())


def _cells(row: Row) -> list[Cell]:
    cells = [row.store, row.sku, row.name, row.category, row.date.isoformat(), row.now, row.proposed, row.stands]
    return [*cells, *(None for _ in TO_FILL), row.told, row.why]
