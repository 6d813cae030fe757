"""Our side: from till receipts to prices, by the functions that `ingest`, `transform`, `train` and `price` call."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from catalog.load import load
from catalog.progress import Progress, silent
from catalog.settings import read_settings
from etl.business_dates import ONE_DAY, newest_grouped
from etl.prepare import prepared
from etl.transform import transform
from evaluation.memory_registry import MemoryRegistry
from evaluation.outside_store.records import Learned
from features.response import told_skus
from own_data.exports.admit_dates import Room
from own_data.exports.columns import Reading
from own_data.exports.ingest import ingest
from serving.price_book.book import PriceBook
from training.gate import Verdict
from training.pricing import price_date
from training.session import train


def learn(home: Path, receipts: Path, objective: str, seed: int, progress: Progress = silent) -> Learned:
    """Take an export into a lake of its own, train on it, and price the day after it.

    Parameters
    ----------
    home
        Empty folder for everything that is generated.
    objective
        What prices maximise, `revenue` or `margin`; written into the estimated shelf as a retailer would.

    Raises
    ------
    ShelfpriceError
        When a step refuses the export.
    """
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    now = dt.datetime.now(dt.UTC)
    done = ingest(settings, receipts, Reading(), None, now, Room(progress))
    with (done.shelf / "store.yaml").open("a", encoding="utf-8") as store:
        store.write(f"policies: {{objective: {objective}}}\n")
    workspace, registry = prepared(settings, load(done.shelf)), MemoryRegistry()
    transform(workspace, progress=progress)
    newest = newest_grouped(workspace.lake)
    result = train(workspace, registry, newest, seed, progress=progress)
    prices: dict[str, float] = {}
    if registry.load() is not None:
        book = price_date(workspace, registry, newest + ONE_DAY).book
        prices = opening_prices(book, told_skus(result.responses))
    return Learned(done.row["rows"], done.row["rejected"], tuple(result.responses), unmet_of(result.verdict), prices)


def opening_prices(book: PriceBook, skus: Sequence[str]) -> dict[str, float]:
    """Return the book's prices of some products with a full shelf at opening, EUR by sku."""
    ticks = book.prices.shape[2]
    return {sku: book.quote(sku, int(book.par_stock[book.positions[sku]]), ticks).price for sku in skus}


def unmet_of(verdict: Verdict) -> tuple[str, ...]:
    """Return in words what the gate asked for and did not find."""
    return tuple(f"{condition.name}: {condition.found}" for condition in verdict.unmet)
