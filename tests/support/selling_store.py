"""A store that sells outside: its catalog, its lake, and lines as its tills send them."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from price_shop import Shop

from catalog.load import DEFAULT_DIR, load
from catalog.settings import read_settings
from plugins.connect.intake.intake import Intake
from plugins.connect.intake.make_dates import MadeDates
from plugins.connect.intake.sale_lines import IntakeResult
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

DATE = dt.date(2026, 1, 19)
NOW = dt.datetime(2026, 1, 21, 12, tzinfo=dt.UTC)
OUTSIDE = "sales: outside\n"


def where_stock_lives(folder: Path) -> None:
    """Let the shelf be that of the world `fresh`, and profit what counts."""
    (folder / "products.yaml").write_bytes((DEFAULT_DIR / "products.yaml").read_bytes())
    file = folder / "store.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("objective: revenue", "objective: profit"), encoding="utf-8")


def line(**fields: Any) -> dict[str, Any]:
    """Return a line of a receipt; what is not given is that of one litre of milk."""
    own = {"store_id": "S01", "sku": "MILK", "sold_at": f"{DATE}T10:00:00Z", "units": 1, "price": 1.29}
    own |= {} if "event_id" in fields else {"receipt": "R1", "line": 1}
    return {name: value for name, value in (own | fields).items() if value is not None}


class SellingStore(Shop):
    """A shop whose stores sell by themselves; `now` is the time, UTC."""

    def __init__(self, folder: Path, more: str = OUTSIDE, changed: Callable[[Path], None] | None = None) -> None:
        super().__init__(folder, more=more, changed=changed)
        self._begin()

    @classmethod
    def opened(cls, folder: Path) -> "SellingStore":
        """Return a store that another process has made."""
        own = cls.__new__(cls)
        own.folder, own.settings = folder / "catalog", read_settings({"SHELFPRICE_HOME": str(folder / "home")})
        own.catalog, own.lake = load(own.folder), Lake(own.settings)
        own.workspace = Workspace(own.settings, own.catalog, own.lake)
        own._begin()
        return own

    def _begin(self) -> None:
        self.now = NOW
        self.intake = Intake(self.lake, lambda _: self.now)
        self.intake._ready_for = self.catalog.fingerprint  # views are for people

    def take(self, *lines: Any) -> IntakeResult:
        return self.intake.take(self.workspace, "sales", lines, "till")

    def make(self) -> MadeDates:
        return self.intake.make_dates(self.workspace)

    def receipt_lines(self) -> list[dict[str, Any]]:
        return [row for part in self.lake.partitions("receipt_lines") for row in self.lake.read(part).to_pylist()]

    def table(self, name: str, date: dt.date = DATE) -> pa.Table:
        return self.lake.read(Partition(name, date, "intake"))

    def units(self, date: dt.date = DATE) -> dict[tuple[str, str, float], float]:
        """Return the units of a date by store, product and price."""
        return {(row["store_id"], row["sku"], row["price"]): row["units"] for row in self.rows_of("unit_sales", date)}

    def rows_of(self, name: str, date: dt.date = DATE) -> list[dict[str, Any]]:
        part = Partition(name, date, "intake")
        return self.lake.read(part).to_pylist() if self.lake.holds(part) else []


def shuffled(lines: Sequence[Any], seed: int, twice: float = 0.3) -> list[list[Any]]:
    """Return lines in another order, some of them twice, in several requests."""
    dice = np.random.default_rng(seed)
    sent = [*lines, *(one for one in lines if dice.random() < twice)]
    order = [sent[at] for at in dice.permutation(len(sent))]
    cuts = sorted(dice.integers(0, len(order) + 1, size=3).tolist())
    return [order[first:end] for first, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]
