"""A chain's night of price changes: proposals, what waits, the Desk, and the export to tills and labels.

The lake is made by column: a price book, and what each store opened with the day before. A few thousand prices move so
far that they wait for a person. Each stage runs in a process of its own, so that its peak memory is its own, beside
what the catalog takes. The book has no belief, short days and small shelves: the stages read its opening prices alone.
"""

import datetime as dt
import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from catalog.decisions.store_day import tick_profile
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.records.pricing import Approval
from catalog.settings import read_settings
from catalog.tables.contracts import TABLES
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.desk.table import DeskQuestion, as_sent, in_order, waiting_first
from dashboard.data.reader import Reader
from etl.calendar import DEFAULT_START
from features.cells import ALL_VIEWS
from plugins.connect.labels.export import export
from plugins.connect.labels.targets import FolderTarget
from plugins.desk.price_changes.listing import rows_of
from plugins.desk.price_changes.proposals import waiting_on
from plugins.desk.price_changes.propose import propose_for
from plugins.desk.price_changes.record import listed_changes
from plugins.evaluation.bench.measure import Measurement, say
from plugins.evaluation.bench.processes import peak_bytes
from plugins.evaluation.bench.world import SEED
from plugins.evaluation.truth import chance_of_sale
from serving.belief.belief import believed_before_anybody_came
from serving.belief.table import belief_to_table
from serving.book.make import publish_book
from serving.optimise.curves import DemandCurves
from warehouse.lake import Lake, Partition
from warehouse.parquet import coded
from warehouse.query.connection import build_file
from warehouse.workspace import Workspace

PRODUCTS, STORES = 5_000, 100
DATE = DEFAULT_START  # on which stores open that have not sold yet
_WAITING = 3_000  # prices that a person has to see
_AT_ONCE = 10  # stores of a partition


def price_changes(n_products: int = PRODUCTS, n_stores: int = STORES) -> Iterator[Measurement]:
    """Propose the prices of a chain, list what waits, show them at the Desk, and send what the stores open with."""
    catalog, told = _chain(n_products, n_stores), f"{n_products * n_stores:,} prices"
    with TemporaryDirectory(prefix="shelfprice-bench-") as folder:
        _apart(_prepare, Path(folder), catalog)
        stages = (
            ("proposals", _propose, 20.0),
            ("what waits", _list, 5.0),
            ("the Desk's first sheet", _look, 2.0),
            ("export", _export, 30.0),
        )
        for what, work, most in stages:
            say(f"  {what} of {told}")
            took, busy, peak = _apart(work, Path(folder), catalog)
            yield Measurement("nights", f"{what}, {told}", took, "s", (), most)
            yield Measurement("nights", f"{what}, {told}, processor time", busy, "s")
            yield Measurement("nights", f"{what}, {told}, peak memory", peak / 1e9, "GB", (), 2.0)


def _apart(work: Callable[[Workspace], object], home: Path, catalog: Catalog) -> tuple[float, float, int]:
    """Return the seconds by the clock and of the processor, and the peak bytes, of work in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_measured, work, home, catalog).result()


def _measured(work: Callable[[Workspace], object], home: Path, catalog: Catalog) -> tuple[float, float, int]:
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    workspace, began, busy = Workspace(settings, catalog, Lake(settings)), time.perf_counter(), time.process_time()
    work(workspace)
    return time.perf_counter() - began, time.process_time() - busy, peak_bytes()


def _propose(workspace: Workspace) -> None:
    propose_for(workspace, DATE)
    if waiting_on(workspace.lake, DATE).count != _WAITING:
        raise ValueError("expected other prices to wait")


def _list(workspace: Workspace) -> None:
    rows_of(workspace, listed_changes(workspace.lake, None, None, dt.date.max)[0])


def _look(workspace: Workspace) -> None:
    """Open the price book and the Desk, with the first page of its table."""
    desk = PriceDesk(workspace.settings, Reader(workspace.settings), lambda: workspace.catalog)
    rows = desk.sheet().rows
    part = list(in_order(DeskQuestion().found_in(rows), ())[:100])
    page = list(map(as_sent, part, desk.courses(part)))
    if len(waiting_first(rows)) != _WAITING or len(page) != 100:
        raise ValueError("expected other prices to wait, or more to change")


def _export(workspace: Workspace) -> None:
    sent = export(workspace, FolderTarget(workspace.settings.home / "labels")).sent
    if sum(len(batch.rows) for batch in sent) != len(workspace.catalog.skus) * len(workspace.catalog.store.stores):
        raise ValueError("expected every price to be sent")


def _chain(n_products: int, n_stores: int) -> Catalog:
    shelf = load(CLASSIC)
    products = tuple(
        shelf.products[number % len(shelf.products)].model_copy(update={"sku": f"P{number:05d}", "par_stock": 8})
        for number in range(n_products)
    )
    changes = {
        "stores": tuple(f"S{number:03d}" for number in range(1, n_stores + 1)),
        "popularity": {},
        "approval": Approval(within_of_yesterday=0.25),
        "opening": shelf.store.opening.model_copy(update={"tick_minutes": 120}),
    }
    return Catalog(products, shelf.store.model_copy(update=changes))


def _prepare(workspace: Workspace) -> None:
    """Publish a book, and what the stores opened with the day before."""
    lake, catalog = workspace.lake, workspace.catalog
    lake.prepare()
    build_file(workspace.settings, ALL_VIEWS)
    ladder = price_ladder(catalog)
    curves = DemandCurves(catalog.skus, ladder, chance_of_sale(catalog, ladder / catalog.base_prices[:, None]), "truth")
    belief = belief_to_table(catalog, believed_before_anybody_came(catalog))
    visits = np.tile(16 * tick_profile(catalog.store), (len(catalog.skus), 1))
    book = publish_book(lake, catalog, curves, visits, DATE, belief)
    n_stores, draw = len(catalog.store.stores), np.random.default_rng(SEED)
    at, full = np.arange(len(catalog.skus)), np.full(len(catalog.skus), 8)
    before = np.tile(book.at(at, full, catalog.store.opening.ticks).prices, (n_stores, 1))
    before = np.round(before * draw.choice([0.9, 1.0, 1.1], before.shape), 2)
    before.ravel()[draw.choice(before.size, _WAITING, replace=False)] *= 3
    day_before = DATE - dt.timedelta(days=1)
    for first in range(0, n_stores, _AT_ONCE):
        rows = _opened_with(catalog, first, before[first : first + _AT_ONCE])
        lake.publish(Partition("repricings", day_before, f"g{first:03d}"), rows, inputs="bench", seed=SEED)


def _opened_with(catalog: Catalog, first: int, prices: np.ndarray) -> pa.Table:
    """Return the opening prices of stores from a row on, EUR, shape (n_stores, n_products), as price decisions."""
    store, product = (own.ravel() for own in np.indices(prices.shape))
    known = {
        "store_id": coded(store + first, catalog.store.stores),
        "sku": coded(product, catalog.skus),
        "new_price": pa.array(np.round(prices.ravel(), 2)),
        "decided_at": catalog.store.clock_of(None).opening_of(DATE - dt.timedelta(days=1)),
        "clamps": [],
        "tick": 0,
        "inventory_level": 8,
        "explored": False,
        "binding_rule": "stock_value",
        "policy": "stock_aware",
        "reason": "bench",
    }
    columns = [
        own if isinstance(own := known.get(field.name), pa.Array) else pa.array([own] * prices.size, field.type)
        for field in TABLES["repricings"].schema
    ]
    return pa.Table.from_arrays(columns, schema=TABLES["repricings"].schema)
