"""Our side: from till receipts to prices, by the functions that `ingest`, `transform`, `train` and `price` call."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import duckdb
from pyarrow import csv

from catalog.load import load
from catalog.settings import read_settings
from etl.live.calendar import ONE_DAY, newest_grouped
from etl.transform import transform
from evaluation.memory_registry import MemoryRegistry
from evaluation.outside_store.grocery.examination import LearnedFromReceipts
from evaluation.outside_store.grocery.question import ExaminationQuestion
from features.response import told_skus
from flows.workspace import prepared
from own_data.exports.columns import Reading
from own_data.exports.ingest import ingest
from serving.price_book import PriceBook
from training.night import price_date
from training.session import train
from warehouse.sql_files import queries_beside

_QUERY = queries_beside(__file__)


def learn(home: Path, receipts: Path, question: ExaminationQuestion) -> LearnedFromReceipts:
    """Take an export into a lake of its own, train on it, and price the day after it.

    Parameters
    ----------
    home
        Empty folder for everything that is generated.
    question
        Says in which grain the export is read, and what prices maximise: that is written into the estimated shelf, as a
        retailer would.

    Raises
    ------
    ShelfpriceError
        When a step refuses the export.
    """
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    export = receipts if question.grain == "receipts" else baskets_as_visits(receipts)
    done = ingest(settings, export, Reading(), None, dt.datetime.now(dt.UTC))
    with (done.shelf / "store.yaml").open("a", encoding="utf-8") as store:
        store.write(f"policies: {{objective: {question.objective}}}\n")
    workspace, registry = prepared(settings, load(done.shelf)), MemoryRegistry()
    transform(workspace)
    newest = newest_grouped(workspace.lake)
    result = train(workspace, registry, newest, question.seed)
    unmet = tuple(f"{condition.name}: {condition.found}" for condition in result.verdict.unmet)
    prices: dict[str, float] = {}
    if registry.load() is not None:
        book = price_date(workspace, registry, newest + ONE_DAY).book
        prices = opening_prices(book, told_skus(result.responses))
    return LearnedFromReceipts(done.row["rows"], done.row["rejected"], tuple(result.responses), unmet, prices)


def opening_prices(book: PriceBook, skus: Sequence[str]) -> dict[str, float]:
    """Return the book's prices of some products with a full shelf at opening, EUR by sku."""
    ticks = book.prices.shape[2]
    return {sku: book.quote(sku, int(book.par_stock[book.positions[sku]]), ticks).price for sku in skus}


def baskets_as_visits(receipts: Path) -> Path:
    """Write an export of till lines as visits beside it, and return its file.

    Every receipt becomes a shopper who looked at each product on the shelf. How many units were bought is lost.
    """
    visits = receipts.with_name("visits.csv")
    with duckdb.connect() as connection:
        table = connection.sql(_QUERY("baskets_as_visits"), params={"receipts": str(receipts)}).to_arrow_table()
    csv.write_csv(table, visits)
    return visits
