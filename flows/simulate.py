"""Play store days and load them: one task per business date and group of stores."""

import datetime as dt
import hashlib
from dataclasses import dataclass, replace

from prefect import flow, task
from prefect.futures import as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from catalog.errors import DataError
from catalog.load import Catalog
from catalog.pricing import Policy
from etl.ledger import LedgerRow, write_down
from etl.live.day import days_sold_live
from etl.load import load_store_day
from flows.edge import DEFAULT_SEED, DEFAULT_START, TOUCHES_THE_DISK, Surroundings, dates_from, tag_run
from flows.progress import tell
from serving.book_store import book_in_force
from serving.cold_start import match_to_shelf
from serving.curves import DemandCurves
from serving.policies import GreedyPolicy, costs_that_count
from serving.price_book.book import PriceBook
from serving.storefront import (
    storefront_at_base_prices,
    storefront_before_champion,
    storefront_with_book,
    storefront_with_model,
)
from simulation.store_day import play
from warehouse.lake import CODE_VERSION, Lake, Partition

VISITS_PER_FILE = 1_000_000


@dataclass(frozen=True)
class PricedBy:
    """A policy, the fingerprint of what it is made of, and the price book it reads, if any: its date and SHA-256."""

    policy: Policy
    fingerprint: str
    book_made_for: dt.date | None = None
    book_sha256: str | None = None


@dataclass(frozen=True)
class Batch:
    """One business date of a group of stores."""

    business_date: dt.date
    group: str
    stores: tuple[str, ...]

    @property
    def partition(self) -> Partition:
        """The batch's partition of decisions."""
        return Partition("interactions", self.business_date, self.group)


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch: `played`, `replaced` (other decisions stood there) or `unchanged`."""

    batch: Batch
    action: str
    rows: int


@flow(name="simulate", flow_run_name="simulate-{start}", task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
def simulate(
    start: dt.date = DEFAULT_START,
    days: int = 1,
    stores: int | None = None,
    seed: int = DEFAULT_SEED,
    policy: str | None = None,
    catalog_dir: str | None = None,
) -> list[BatchResult]:
    """Play store days on the twin and publish their decisions; days that are there already are not played again.

    Parameters
    ----------
    start, days
        First business date, and how many.
    stores
        Number of stores, by default those of the catalog.
    seed
        Seed of the world: equal seeds bring equal shoppers.
    policy
        `static`, `rule` or `greedy`; by default the price book in force on each date, or without one the catalog's
        policy for stores without a champion.
    """
    around = Surroundings(catalog_dir)
    batches = without_live_days(around.lake, batches_of(around.catalog, dates_from(start, days), stores))
    priced_by = {date: pricing_on(around.lake, around.catalog, date, policy) for date in dates_from(start, days)}
    results = []
    tag_run("simulation")
    futures = [play_batch.submit(around, batch, priced_by[batch.business_date], seed) for batch in batches]
    for done, future in enumerate(as_completed(futures), start=1):
        results.append(future.result())
        tell("playing store days", done, len(batches))
    return sorted(results, key=lambda result: result.batch.partition)


@task(**TOUCHES_THE_DISK)
def play_batch(
    around: Surroundings, batch: Batch, priced_by: PricedBy, seed: int, *, anew: bool = False
) -> BatchResult:
    """Play one batch and publish it, unless exactly this batch is published already and not asked for `anew`."""
    inputs = batch_inputs(around.catalog, batch, priced_by, seed)
    if not anew and around.lake.is_current(batch.partition, inputs):
        receipt = around.lake.receipt(batch.partition)
        return BatchResult(batch, "unchanged", receipt.rows if receipt else 0)
    day = play(around.catalog, priced_by.policy, batch.stores, batch.business_date, seed)
    now = in_force(around.catalog, batch, priced_by, seed)
    write_down(around.lake, around.catalog, batch.business_date, batch.group, now)
    published = load_store_day(around.lake, around.catalog, day, batch.group, inputs=inputs, seed=seed)[-1]
    action = "played" if published.action == "written" else published.action
    return BatchResult(batch, action, published.receipt.rows)


def batches_of(catalog: Catalog, dates: list[dt.date], n_stores: int | None) -> list[Batch]:
    """Cut dates and stores into batches of about a million decisions."""
    stores = store_ids(catalog, n_stores)
    size = max(1, int(VISITS_PER_FILE / catalog.store.visits_per_day))
    groups = [stores[first : first + size] for first in range(0, len(stores), size)]
    return [Batch(date, f"g{number:03d}", group) for date in dates for number, group in enumerate(groups)]


def without_live_days(lake: Lake, batches: list[Batch]) -> list[Batch]:
    """Leave the stores out that sold a batch's date live: their decisions are there, and may not count twice."""
    live = {(day.business_date, day.store) for day in days_sold_live(lake)}
    others = [
        replace(batch, stores=tuple(store for store in batch.stores if (batch.business_date, store) not in live))
        for batch in batches
    ]
    return [batch for batch in others if batch.stores]


def store_ids(catalog: Catalog, n_stores: int | None) -> tuple[str, ...]:
    """Return the catalog's stores, or as many as asked for: the catalog's first, then numbered ones."""
    named = catalog.store.stores
    if n_stores is None or n_stores == len(named):
        return named
    width = len(str(n_stores))
    return (*named[:n_stores], *(f"X{number:0{width}d}" for number in range(len(named) + 1, n_stores + 1)))


def pricing_on(lake: Lake, catalog: Catalog, date: dt.date, name: str | None) -> PricedBy:
    """Return the policy that prices a date, with its exploration and its guardrails.

    Under the kill switch no book is read: base prices stand whatever state the books are in.

    Raises
    ------
    DataError
        When `greedy` is asked for and no price book is in force.
    """
    if catalog.store.guardrails.kill_switch:
        return PricedBy(storefront_at_base_prices(catalog), "kill_switch")
    if name not in {"static", "rule"}:
        found = book_in_force(lake, date)
        if found is not None:
            return pricing_by_book(catalog, *found, is_greedy=name == "greedy")
        if name == "greedy":
            raise DataError(
                f"expected a price book for {date} or before, found none; run `shelfprice train` and `shelfprice price`"
            )
    without = storefront_before_champion(catalog, name)
    return PricedBy(without, without.name)


def pricing_by_book(
    catalog: Catalog, book: PriceBook, curves: DemandCurves, sha256: str, *, is_greedy: bool = False
) -> PricedBy:
    """Return the policy that sells from a price book, or from its curves alone by `greedy`."""
    made_for = book.published_at.date()
    book, curves = match_to_shelf(catalog, book, curves)
    if is_greedy:
        greedy = GreedyPolicy(curves, costs_that_count(catalog))
        store = storefront_with_model(catalog, greedy, curves)
    else:
        store = storefront_with_book(catalog, book, curves)
    return PricedBy(store, f"{store.name}:{sha256}", made_for, sha256)


def in_force(catalog: Catalog, batch: Batch, priced_by: PricedBy, seed: int, since: int = 0) -> LedgerRow:
    """Return what prices a batch from a tick on, for the ledger."""
    policy = priced_by.policy
    book = (priced_by.book_made_for, priced_by.book_sha256)
    return LedgerRow(since, batch.stores, seed, catalog.fingerprint, policy.name, policy.model_version, *book)


def batch_inputs(catalog: Catalog, batch: Batch, priced_by: PricedBy, seed: int) -> str:
    """Fingerprint of everything that decides a batch's bytes."""
    facts = (catalog.fingerprint, batch, priced_by.fingerprint, seed, CODE_VERSION)
    return hashlib.sha256(repr(facts).encode()).hexdigest()
