"""Our side: from till receipts to prices, by the functions that `ingest`, `transform`, `train` and `price` call."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.load import load
from catalog.progress import Progress, silent
from catalog.settings import read_settings
from etl.business_dates import ONE_DAY, newest_grouped
from etl.exports.admit_dates import Room
from etl.exports.columns import Reading
from etl.exports.ingest import ingest
from etl.prepare import prepared
from etl.transform import transform
from evaluation.memory_registry import MemoryRegistry
from features.price_response.records import PriceResponse, told_skus
from serving.price_book.book import PriceBook
from training.gate import Verdict
from training.pricing import price_date
from training.session import train


@dataclass(frozen=True)
class Learned:
    """What the engine made of the receipts.

    Attributes
    ----------
    rows, rejected
        Rows of the export, and those that were rejected.
    responses
        What it says of each product's response to prices, in the order of its shelf.
    unmet
        What the gate asked for and did not find, in words; nothing where the model became champion.
    prices
        Its price of each product that it prices, EUR by sku, for a full shelf at opening. Any other keeps its price.
    """

    rows: int
    rejected: int
    responses: tuple[PriceResponse, ...]
    unmet: tuple[str, ...]
    prices: dict[str, float]


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
