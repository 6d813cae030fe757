"""Batches of the twin: one business date of a group of stores, played once and published whole."""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from catalog.decisions.pricing import PricedBy
from catalog.decisions.store_day import KeptStock
from catalog.load import Catalog
from etl.ledger import LedgerRow, keep_catalog
from etl.load import load_rows, rows_of
from etl.open_days import days_sold_live
from etl.stock import kept_before
from etl.twin.store_day import play
from warehouse.commits.locks import held
from warehouse.lake import CODE_VERSION, Lake, Partition
from warehouse.workspace import Workspace

DEFAULT_SEED = 7
"""Seed of the world where nobody names one."""

VISITS_PER_FILE = 1_000_000


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
    """What became of a batch and how many decisions it holds; `replaced` means that other decisions stood there."""

    batch: Batch
    action: Literal["played", "replaced", "unchanged"]
    rows: int


Kinds = Sequence[tuple[str, ...]]
"""The stores of each kind that sells by a belief of its own; none while all are alike."""


def batches_of(catalog: Catalog, dates: list[dt.date], n_stores: int | None, kinds: Kinds = ()) -> list[Batch]:
    """Cut dates and stores into batches of about a million decisions; each has stores of one kind."""
    size = max(1, int(VISITS_PER_FILE / catalog.store.visits_per_day))
    alike = stores_alike(store_ids(catalog, n_stores), kinds)
    groups = [stores[first : first + size] for stores in alike for first in range(0, len(stores), size)]
    return [Batch(date, f"g{number:03d}", group) for date in dates for number, group in enumerate(groups)]


def store_ids(catalog: Catalog, n_stores: int | None) -> tuple[str, ...]:
    """Return the catalog's stores, or as many as asked for: the catalog's first, then numbered ones."""
    named = catalog.store.stores
    if n_stores is None or n_stores == len(named):
        return named
    width = len(str(n_stores))
    return (*named[:n_stores], *(f"X{number:0{width}d}" for number in range(len(named) + 1, n_stores + 1)))


def stores_alike(stores: Sequence[str], kinds: Kinds) -> list[tuple[str, ...]]:
    """Return stores by their kind, those of none together."""
    by_kind: dict[tuple[str, ...], list[str]] = {}
    for store in stores:
        by_kind.setdefault(next((kind for kind in kinds if store in kind), ()), []).append(store)
    return [tuple(alike) for alike in by_kind.values()]


def without_live_days(lake: Lake, batches: list[Batch]) -> list[Batch]:
    """Leave out the stores that sold a batch's date live: their decisions may not count twice."""
    dates = {batch.business_date for batch in batches}
    sold = {(day.business_date, day.store) for day in days_sold_live(lake, dates.__contains__)}
    others = [
        replace(batch, stores=tuple(store for store in batch.stores if (batch.business_date, store) not in sold))
        for batch in batches
    ]
    return [batch for batch in others if batch.stores]


def play_batch(
    workspace: Workspace, batch: Batch, priced_by: PricedBy, seed: int, *, anew: bool = False
) -> BatchResult:
    """Play one batch and publish it, unless exactly this batch is published already and not asked for `anew`."""
    lake, catalog = workspace.lake, workspace.catalog
    kept = kept_before(lake, catalog, batch.stores, batch.business_date)
    inputs = batch_inputs(catalog, batch, priced_by, seed, kept)
    if not anew and is_committed(lake, batch.partition, inputs):
        receipt = lake.receipt(batch.partition)
        return BatchResult(batch, "unchanged", receipt.rows if receipt else 0)
    keep_catalog(lake, catalog)
    date, group = batch.business_date, batch.group
    with held(lake.locks, f"play-{date}-{group}"):
        rows = rows_of(play(catalog, priced_by.policy, batch.stores, date, seed, kept), catalog)
        rows = replace(rows, in_force=(in_force(catalog, batch, priced_by, seed),))
        published = load_rows(lake, catalog, rows, date, group, inputs=inputs, seed=seed)[-1]
    return BatchResult(batch, "played" if published.action == "written" else published.action, published.receipt.rows)


def is_committed(lake: Lake, decisions: Partition, inputs: str | None = None) -> bool:
    """Return whether all tables of a batch are there, from one run, and from exactly these inputs if some are given."""
    receipt = lake.receipt(decisions)
    if receipt is None or (inputs is not None and receipt.inputs != inputs):
        return False
    return receipt.commit is not None and lake.committed(receipt.commit) is not None


def stores_of(workspace: Workspace, decisions: Partition) -> tuple[str, ...]:
    """Return the stores of a partition of decisions in the order in which a batch names them: the catalog's first."""
    present = set(workspace.lake.read(decisions)["store_id"].unique().to_pylist())
    named = [store for store in workspace.catalog.store.stores if store in present]
    return (*named, *sorted(present.difference(named)))


def in_force(catalog: Catalog, batch: Batch, priced_by: PricedBy, seed: int, since: int = 0) -> LedgerRow:
    """Return what prices a batch from a tick on, for the ledger."""
    policy = priced_by.policy
    orders = {store: list(names) for store, names in priced_by.orders_at_once.items() if store in batch.stores}
    at_once = json.dumps(orders) if orders else None
    facts = (priced_by.book_made_for, priced_by.book_sha256, priced_by.orders_sha256, at_once)
    return LedgerRow(since, batch.stores, seed, catalog.fingerprint, policy.name, policy.model_version, *facts)


def batch_inputs(catalog: Catalog, batch: Batch, priced_by: PricedBy, seed: int, kept: KeptStock | None = None) -> str:
    """Fingerprint of everything that decides a batch's bytes; `kept` is what its stores have from the day before."""
    stock = () if kept is None else (kept.fingerprint,)
    facts = (catalog.fingerprint, batch, priced_by.fingerprint, seed, CODE_VERSION, *stock)
    return hashlib.sha256(repr(facts).encode()).hexdigest()
