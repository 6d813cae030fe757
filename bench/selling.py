"""Play and group batches in processes of their own, a few at a time."""

import datetime as dt
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing import get_context

import pyarrow as pa

from bench.measure import peak_bytes
from catalog.priced_by import PricedBy
from etl.batches import DEFAULT_SEED, Batch, BatchResult, batches_of
from etl.business_dates import dates_from
from etl.play_and_group import play_and_group
from flows.workspace import open_workspace
from serving.in_force import pricing_on
from warehouse.workspace import Workspace

_WAITING_FOR_EACH = 2  # batches per process that are handed out: the others are not even pickled yet


class _Opened:
    """What a process holds from its first batch to its last."""

    workspace: Workspace
    priced_by: dict[dt.date, PricedBy]


def sell(start: dt.date, days: int, stores: int) -> tuple[int, int]:
    """Play and group the batches of some days; return the decisions, and the most memory of all processes, bytes."""
    workspace = open_workspace(None, for_the_twin=True)
    batches = iter(batches_of(workspace.catalog, dates_from(start, days), stores))
    n_processes = os.cpu_count() or 1
    context = get_context("spawn")
    with ProcessPoolExecutor(n_processes, mp_context=context, initializer=_open) as pool:
        decisions = sum(result.rows for result in _played(pool, batches, _WAITING_FOR_EACH * n_processes))
        return decisions, peak_bytes()


def _played(pool: ProcessPoolExecutor, batches: Iterator[Batch], at_once: int) -> Iterator[BatchResult]:
    """Yield what became of each batch, as they end; never more than `at_once` are handed out."""
    waiting: set[Future[BatchResult]] = {pool.submit(_play, batch) for batch in islice(batches, at_once)}
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        yield from (future.result() for future in done)
        waiting |= {pool.submit(_play, batch) for batch in islice(batches, len(done))}


def _open() -> None:
    pa.set_cpu_count(1)
    _Opened.workspace, _Opened.priced_by = open_workspace(None, for_the_twin=True), {}


def _play(batch: Batch) -> BatchResult:
    workspace, date = _Opened.workspace, batch.business_date
    if date not in _Opened.priced_by:
        _Opened.priced_by = {date: pricing_on(workspace.lake, workspace.catalog, date)}
    return play_and_group(workspace, batch, _Opened.priced_by[date], DEFAULT_SEED)
