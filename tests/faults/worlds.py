"""States of a home before a command: made once, by the product's own commands, and copied for each trial.

The shelf is small, so that a training takes seconds: two products, two stores, twelve ticks, sixty visits.
"""

import shutil
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.commands import NEXT
from tests.faults.zygote import Ended, Job, Pool

_PRODUCTS = """\
products:
  - {sku: MILK, name: Milk, category: dairy, icon: "🥛", base_price: 1.50, unit_cost: 0.90, par_stock: 12}
  - {sku: MEAT, name: Meat, category: butcher, icon: "🥩", base_price: 7.67, unit_cost: 4.90, par_stock: 8}
"""
_STORE = """\
stores: [S01, S02]
opening: {opens: "08:00", closes: "20:00", tick_minutes: 60}
hourly_profile: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
visits_per_day: 60
popularity: {MILK: 1, MEAT: 1}
shopper_pool: 20
personas:
  - {name: everyone, share: 1.0, mean: 1.0, standard_deviation: 0.25}
ladder_prices: 8
"""
_SELDOM = "learning: {train_every_days: 30}\n"

_MAKES: Mapping[str, tuple[str, tuple[tuple[str, Mapping[str, Any]], ...]]] = {
    "empty": ("", ()),
    "export": ("", ()),
    "prepared": ("empty", (("open", {}),)),
    "registry": ("prepared", (("make_registry", {}),)),
    "sold": ("registry", (("simulate", {"days": 3, "policy": "static"}),)),
    "grouped": ("sold", (("transform", {}),)),
    "champions": (
        "grouped",
        (
            ("train", {"seed": 1}),
            ("copy_version", {}),
            ("copy_version", {}),
            *((("promote", {"version": version})) for version in ("1", "2", "3")),
        ),
    ),
    "open": ("champions", (("open_day", {}),)),
    "next_sold": ("champions", (("simulate", {"start": str(NEXT)}),)),
}
"""Each world: the one it is made from, and the steps that make it."""

_EXPORT_ROWS = 120


class WorldError(RuntimeError):
    """A state that could not be made."""


@dataclass
class Worlds:
    """Makes states in a folder when they are asked for, and copies them.

    Attributes
    ----------
    trains_seldom
        Whether a model is due every thirty days only, so that most nights do not train.
    """

    folder: Path
    pool: Pool
    trains_seldom: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _copies: int = 0

    def variables_of(self, world: str) -> dict[str, str]:
        """Return what is added to the environment of whoever works in a world; an export brings its own shelf."""
        return {} if world == "export" else {"SHELFPRICE_CATALOG": str(self._shelf())}

    def copy(self, world: str) -> Path:
        """Return a home of its own in that state."""
        source = self._made(world)
        with self._lock:
            self._copies += 1
            home = self.folder / f"{self._copies:05d}" / "home"
        home.parent.mkdir()
        subprocess.run(["cp", "-a", "--reflink=auto", source, home], check=True)
        return home

    def forget(self, home: Path) -> None:
        """Remove a copy with all that was written beside it."""
        shutil.rmtree(home.parent)

    def run(self, world: str, step: str, home: Path, options: Mapping[str, Any], **more: Any) -> Ended:
        """Do one step in a copy of a world."""
        return self.pool.run(Job(step, home, options, variables=self.variables_of(world), **more))[0]

    def _made(self, world: str) -> Path:
        with self._lock:
            home = self.folder / world / "home"
            if home.exists():
                return home
            origin, steps = _MAKES[world]
            draft = self.folder / world / "draft" / "home"
            draft.parent.mkdir(parents=True)
            if origin:
                subprocess.run(["cp", "-a", "--reflink=auto", self._made(origin), draft], check=True)
            else:
                draft.mkdir()
            if world == "export":
                write_export(draft / "visits.csv")
            for step, options in steps:
                ended = self.run(world, step, draft, options)
                if ended.code and "is the champion already" not in ended.said:
                    raise WorldError(f"{world}: {step} ended with {ended.code} and said {ended.said}")
            draft.rename(home)
            return home

    def _shelf(self) -> Path:
        folder = self.folder / "shelf"
        with self._lock:
            if not folder.exists():
                folder.mkdir(parents=True)
                (folder / "products.yaml").write_text(_PRODUCTS, encoding="utf-8")
                (folder / "store.yaml").write_text(_STORE + _SELDOM * self.trains_seldom, encoding="utf-8")
        return folder


def write_export(file: Path) -> None:
    """Write a retailer's file: visits of two stores on three dates, one line of which cannot be used."""
    lines = ["visited_at,store,sku,shelf_price,bought"]
    for row in range(_EXPORT_ROWS):
        day, hour = 5 + row % 3, 9 + row % 10
        price = (1.8, 2.0, 2.2)[row % 7 % 3]
        sku, store, bought = ("TEA", "RICE")[row % 2], ("S1", "S2")[row % 4 // 2], int(row % 5 < 2)
        lines.append(f"2026-01-{day:02d} {hour:02d}:{row % 60:02d}:00,{store},{sku},{price},{bought}")
    file.write_text("\n".join([*lines, "never,S1,TEA,2.0,0"]) + "\n", encoding="utf-8")
