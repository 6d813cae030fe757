"""Prices that are drawn week by week in grocery-sim: after an ingested history, the loop of a retailer's store runs.

The store plays its year anew for each week, up to the week's last day: its draws are keyed, so the weeks before are the
same each time. The week's till lines go through the intake, a night learns and draws, and the export hands over prices.
Nothing tells the engine what the store's own offers and loyalty days do to a price: what sold at a price that was not
ours it has to see itself.
"""

import datetime as dt
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from catalog.arrays import Floats
from catalog.errors import DataError
from catalog.load import Catalog, load
from catalog.settings import read_settings
from catalog.spread import Progress, silent
from connect.intake.sale_lines import MOST_LINES
from evaluation.outside_store.grocery.examination import FIXED, OWNER
from evaluation.outside_store.grocery.exchange import OutsideStore, PricesFrom, StoreOutcome, StorePlay
from evaluation.outside_store.grocery.question import ExaminationQuestion
from evaluation.outside_store.rehearsal import EngineInProcess
from evaluation.outside_store.stores.count_grocer import best_ratio
from evaluation.outside_store.stores.fetched_prices import ExportFolder
from evaluation.outside_store.stores.outside_world import RULES, WEEK
from flows.workspace import prepared
from own_data.earned import earned_by_draws
from own_data.exports.columns import Reading
from own_data.exports.ingest import ingest
from serving.counts.earned_profit import EarnedProfit

DRAWN, KNOWING = "drawn prices", "prices by the answer key"
_NIGHT, _OPENS, _CLOSED = dt.time(1), dt.time(8), dt.time(22)


@dataclass(frozen=True)
class DrawnExamination:
    """What was found.

    Attributes
    ----------
    version
        Version of the package.
    first_monday
        From when prices were drawn.
    answers
        Till lines that the intake took and refused, by what it said of them.
    earned
        What the engine says that its prices brought; None where it cannot say.
    outcomes
        What each way of pricing earned, by name.
    """

    version: str
    first_monday: dt.date
    answers: Counter[str]
    earned: EarnedProfit | None
    outcomes: dict[str, StoreOutcome]


def examine_draws(question: ExaminationQuestion, progress: Progress = silent) -> DrawnExamination:
    """Let the store sell for whole weeks at prices that a night draws from its till lines.

    Raises
    ------
    ShelfpriceError
        When the driver cannot run, or a step refuses what the store sold.
    """
    with tempfile.TemporaryDirectory(prefix="shelfprice-outside-") as home:
        store, changes = OutsideStore(question, Path(home)), list[PricesFrom]()
        learnt = store.play([StorePlay(FIXED)], export_through=question.learn_days)
        engine = DrawingEngine(Path(home) / "engine", learnt.receipts, question)
        weeks = question.play_days // WEEK
        for week in range(weeks):
            progress("weeks at drawn prices", week, weeks)
            day = question.learn_days + 1 + week * WEEK
            changes.append(PricesFrom(day, engine.prices_from(question.date_of(day))))
            sold = store.play([StorePlay(DRAWN, changes=tuple(changes))], export_through=day + WEEK - 1)
            engine.take(sold.receipts, question.date_of(day))
        progress("playing the days that count", weeks, weeks)
        engine.prices_from(question.date_of(question.learn_days + 1 + weeks * WEEK))
        plays = [StorePlay(OWNER, owner_prices=True), StorePlay(FIXED), StorePlay(DRAWN, changes=tuple(changes))]
        known = by_the_key(engine.catalog, learnt.elasticities(), question, weeks)
        last = store.play([*plays, StorePlay(KNOWING, changes=known)])
        first = question.date_of(question.learn_days + 1)
        return DrawnExamination(last.version, first, engine.answers, engine.earned(), last.outcomes)


class DrawingEngine:
    """The engine of a retailer who ingested a history, in a folder of its own; it draws all prices by week."""

    def __init__(self, folder: Path, receipts: Path, question: ExaminationQuestion) -> None:
        """Ingest a history, widen its shelf to the band, and open the lake for the tills.

        Raises
        ------
        ShelfpriceError
            When the history is refused.
        """
        (folder / "labels").mkdir(parents=True)
        environ = {"SHELFPRICE_HOME": str(folder / "home")}
        first = dt.datetime.combine(question.date_of(question.learn_days + 1), dt.time(), dt.UTC)
        shelf = ingest(read_settings(environ), receipts, Reading(), None, first).shelf
        _allow_the_band(shelf)
        self.catalog, self.answers = load(shelf), Counter[str]()
        settings = read_settings(environ | {"SHELFPRICE_NOW": str(folder / "now")})
        self.engine = EngineInProcess(prepared(settings, self.catalog), folder, question.seed)
        stores, skus = self.catalog.store.stores, self.catalog.skus
        self._labels = ExportFolder(folder / "labels", stores, skus)
        self._stands = self.catalog.base_prices[None, :]

    def prices_from(self, monday: dt.date) -> dict[str, float]:
        """Let a night draw the prices of a week, and return those that tills are sent, EUR by sku."""
        opening = dt.datetime.combine(monday, _OPENS, dt.UTC)
        self.engine.at(dt.datetime.combine(monday, _NIGHT, dt.UTC))
        self.engine.before_week(monday)
        self.engine.export(monday)
        for _ in range(2):  # a till follows a price that rises only once the label has
            found = self._labels.fetch(opening, self._stands, np.zeros(self._stands.shape, dtype=np.int64))
            self.engine.export(monday)
        self._stands = found.till
        return dict(zip(self.catalog.skus, found.till[0].tolist(), strict=True))

    def take(self, receipts: Path, monday: dt.date) -> None:
        """Take the till lines of a week in, each day after closing."""
        lines = pd.read_csv(receipts, parse_dates=["timestamp"], dtype={"receipt_id": str, "sku": str})
        lines["line"] = lines.groupby("receipt_id").cumcount()
        dates = lines["timestamp"].dt.date
        for day in range(WEEK):
            date = monday + dt.timedelta(days=day)
            self.engine.at(dt.datetime.combine(date, _CLOSED, dt.UTC))
            sent = [_till_line(row) for row in lines[dates == date].itertuples()]
            for start in range(0, len(sent), MOST_LINES):
                answer = self.engine.take("sales", sent[start : start + MOST_LINES])
                self.answers["taken"] += answer["taken"]
                self.answers.update(refused["reason"] for refused in answer["refused"])

    def earned(self) -> EarnedProfit | None:
        """Return what the engine says that its prices brought; None where it cannot say yet."""
        try:
            return earned_by_draws(self.engine.workspace).chain
        except DataError:
            return None


def _till_line(row: Any) -> dict[str, Any]:
    return {
        "store_id": row.store,
        "receipt": row.receipt_id,
        "line": int(row.line),
        "sku": row.sku,
        "sold_at": row.timestamp.tz_localize("UTC").isoformat(),
        "units": float(row.quantity),
        "price": float(row.unit_price),
        "offer": "the owner's" if row.promotion else None,
    }


def _allow_the_band(shelf: Path) -> None:
    """Write into an estimated shelf what an owner adds who has prices drawn: floor and ceiling, and the draw."""
    file = shelf / "products.yaml"
    products = yaml.safe_load(file.read_text(encoding="utf-8"))["products"]
    for one in products:
        least = max(one["base_price"] * (1 - RULES.band), one["unit_cost"])
        one["floor_price"] = min(float(np.ceil(least * 100) / 100), one["base_price"])
        one["ceiling_price"] = float(np.floor(one["base_price"] * (1 + RULES.band) * 100) / 100)
    file.write_text(yaml.safe_dump({"products": products}, allow_unicode=True), encoding="utf-8")
    added = {
        "rehearsal": True,
        "policies": {"objective": "margin"},
        "drawn_prices": {"products": "all", "band": RULES.band, "step": RULES.step, "held_share": 0.1},
    }
    with (shelf / "store.yaml").open("a", encoding="utf-8") as store:
        store.write(yaml.safe_dump(added))


def by_the_key(
    catalog: Catalog, elasticities: dict[str, float], question: ExaminationQuestion, weeks: int
) -> list[PricesFrom]:
    """Return the way to the prices that are best where each product's true elasticity is the same at all prices."""
    known = np.array([elasticities.get(sku, np.nan) for sku in catalog.skus])
    costs = np.array([product.unit_cost for product in catalog.products])
    best = np.where(np.isfinite(known), best_ratio(known, costs / catalog.base_prices, RULES), 1.0)
    ratio, changes = np.ones(len(best)), list[PricesFrom]()
    for week in range(weeks):
        ratio = np.clip(best, ratio * (1 - RULES.step), ratio * (1 + RULES.step))
        prices: Floats = np.round(catalog.base_prices * ratio, 2)
        day = question.learn_days + 1 + week * WEEK
        changes.append(PricesFrom(day, dict(zip(catalog.skus, prices.tolist(), strict=True))))
    return changes
