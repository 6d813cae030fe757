"""A grocer beside the engine: half a year of sales in a quarter of an hour, through intake, lake, nights and export.

Each day's receipts are taken in, the night before each Monday draws, and tills and labels show what the export sent
them and acknowledge it. So the same is learned as on arrays (`plugins.evaluation.outside_store.learning`); a test
holds it.
"""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np

from catalog.load import load
from catalog.settings import read_settings
from plugins.evaluation.outside_store.engine import InProcess
from plugins.evaluation.outside_store.grocer import BAND, STEP, Floats, Grocer, Ints
from plugins.evaluation.outside_store.learning import OWNER_WEEKS, ROWS

FIRST_MONDAY = dt.date(2026, 1, 5)
OPENS, CLOSES = 8, 20  # o'clock, UTC
_UNITS_OF_A_RECEIPT = 3.0
_RECEIPTS = 2_000  # the random stream of receipts, which no world has
_SENT = dt.timedelta(hours=24.5)  # from the beginning of a date to when its sales are sent


class Rehearsal:
    """A grocer and the engine of a folder; the engine's home, catalog and clock lie in it."""

    def __init__(self, folder: Path, world: Grocer, first_monday: dt.date = FIRST_MONDAY) -> None:
        write_shelf(world, folder / "shelf")
        settings = read_settings({"SHELFPRICE_HOME": str(folder / "home"), "SHELFPRICE_NOW": str(folder / "now")})
        self.world, self.first_monday = world, first_monday
        self.engine = InProcess(settings, load(folder / "shelf"), world.seed)
        self.engine.at(self._moment(first_monday))

    def sell(self, n_weeks: int, owner_weeks: int = OWNER_WEEKS) -> tuple[Floats, Ints]:
        """Sell weeks at the owner's prices, then weeks at those that are sent; return prices and units of all weeks.

        EUR and units, shape (owner_weeks + n_weeks, n_stores, n_products). The night after the last one is done, too.
        """
        world, prices = self.world, np.empty((0, *self.world.owner_prices.shape))
        units = list[Ints]()
        for week in range(owner_weeks + n_weeks):
            monday, asked = self.first_monday + dt.timedelta(weeks=week), world.owner_prices
            if week >= owner_weeks:
                self.engine.night(monday - dt.timedelta(days=1))
                asked = self.engine.prices(self._moment(monday), prices[-1])
            prices = np.concatenate([prices, asked[None]])
            days = world.play_week(prices)
            for number, sold in enumerate(days):
                date = monday + dt.timedelta(days=number)
                now = dt.datetime.combine(date, dt.time(), dt.UTC) + _SENT
                self.engine.tell("sales", receipts_of(sold, asked, world, date), now)
            units.append(days.sum(axis=0))
        self.engine.night(self.first_monday + dt.timedelta(weeks=owner_weeks + n_weeks, days=-1))
        return prices, np.array(units)

    def losses(self, prices: Floats, owner_weeks: int = OWNER_WEEKS) -> dict[str, Any]:
        """Return the shares of the attainable profit that prices and the owner's lost, held product weeks included.

        Parameters
        ----------
        prices
            Of all weeks, as `sell` returns them.
        """
        world, weeks = self.world, len(prices) - owner_weeks
        shown, owner, best = (
            world.expected_profit(own).sum(axis=(1, 2))
            for own in (prices[owner_weeks:], world.at_owner_prices(weeks), world.best_prices(weeks))
        )
        rows = {f"{first}-{min(end, weeks)}": slice(first - 1, end) for first, end in ROWS if first <= weeks}
        return {
            name: {row: 1 - float(earned[own].sum() / best[own].sum()) for row, own in rows.items()}
            for name, earned in (("lost", shown), ("owner_lost", owner))
        }

    def _moment(self, date: dt.date) -> dt.datetime:
        return dt.datetime.combine(date, dt.time(OPENS), dt.UTC)


def receipts_of(units: Ints, prices: Floats, world: Grocer, date: dt.date) -> list[dict[str, Any]]:
    """Return the lines of a day's receipts as a till sends them, store by store in order of time.

    Parameters
    ----------
    units, prices
        What was sold and for how much, EUR, shape (n_stores, n_products).
    """
    lines, opening = list[dict[str, Any]](), dt.datetime.combine(date, dt.time(OPENS), dt.UTC)
    for number, (store, sold) in enumerate(zip(world.stores, units, strict=True)):
        dice = np.random.default_rng(np.random.SeedSequence((world.seed, _RECEIPTS, number, date.toordinal())))
        product = np.repeat(np.arange(len(world.skus)), sold)
        n_receipts = int(np.ceil(len(product) / _UNITS_OF_A_RECEIPT))
        seconds = np.sort(dice.integers(0, (CLOSES - OPENS) * 3600, n_receipts))
        basket = dice.integers(0, max(n_receipts, 1), len(product))
        together, counts = np.unique(np.stack([basket, product]), axis=1, return_counts=True)
        for line, (receipt, sku, count) in enumerate(zip(*together.tolist(), counts.tolist(), strict=True)):
            name = f"{store}-{date:%Y%m%d}-{receipt:05d}"
            at = opening + dt.timedelta(seconds=int(seconds[receipt]))
            sent = {"event_id": f"{name}-{line}", "receipt": name, "line": line + 1, "store_id": store}
            sent |= {"sku": world.skus[sku], "sold_at": at.isoformat(), "units": count}
            lines.append(sent | {"price": round(float(prices[number, sku]), 4)})
    return lines


def write_shelf(world: Grocer, folder: Path) -> None:
    """Write products.yaml and store.yaml: what the owner knows, and nothing of the demand. JSON is YAML.

    Floor, ceiling and largest step are the owner's rules, in whole cents inside the band.
    """
    folder.mkdir(parents=True, exist_ok=True)
    products = [
        {"sku": sku, "name": sku, "category": "grocery", "icon": "🛒", "base_price": price, "unit_cost": cost}
        | {"floor_price": max(cost, -(-round(price * (1 - BAND) * 100, 6) // 1) / 100)}
        | {"ceiling_price": round(price * (1 + BAND) * 100, 6) // 1 / 100, "par_stock": 1000}
        for sku, price, cost in zip(world.skus, world.owner_prices[0].tolist(), world.unit_costs.tolist(), strict=True)
    ]
    store = {
        "currency": "EUR",
        "sales": "outside",
        "stores": list(world.stores),
        "opening": {"opens": f"{OPENS:02d}:00", "closes": f"{CLOSES:02d}:00", "tick_minutes": 60},
        "policies": {"objective": "margin"},
        "guardrails": {},
        "rehearsal": True,
        "drawn_prices": {"products": "all", "band": BAND, "step": STEP, "held_share": 0.10},
    }
    for name, found in (("products", {"products": products}), ("store", store)):
        text = json.dumps(found, ensure_ascii=False, indent=1)
        (folder / f"{name}.yaml").write_text(f"{text}\n", encoding="utf-8")
