"""A writer that is killed at any moment: the same command again ends as if nothing had happened.

`KILLS=100 pytest tests/cluster/test_delta_kills.py` tries more moments than the few of every day.
"""

import datetime as dt
import multiprocessing as mp
import os
import random
import signal
import time
from pathlib import Path

import pytest

from catalog.load import load
from catalog.settings import Settings, read_settings
from etl.batches import batches_of
from etl.play_and_group import play_and_group
from etl.prepare import prepared
from etl.transform import transform
from serving.in_force import pricing_on
from warehouse.lake import Lake
from warehouse.verify import verify

DATES = [dt.date(2026, 1, 5), dt.date(2026, 1, 6)]
KILLS = int(os.environ.get("KILLS", "3"))
_FORKED = mp.get_context("fork")
"""No store is opened in this process, so that each child has one of its own."""


def play(settings: Settings) -> None:
    """Play and group two dates."""
    workspace = prepared(settings, load())
    for batch in batches_of(workspace.catalog, DATES, None):
        priced_by = pricing_on(workspace.lake, workspace.catalog, batch.business_date, "static")
        play_and_group(workspace, batch, priced_by, 7)
    transform(workspace)


def look(settings: Settings, answers: "mp.Queue[object]") -> None:
    """Say what is in force, and what is wrong with it."""
    lake = Lake(settings)
    tables = ("interactions", "repricings", "days_in_force", "demand_cells", "products", "shoppers")
    found = [(str(part), lake.receipt(part)) for table in tables for part in lake.partitions(table)]
    faults = [f"{one.name}: {one.kind}" for one in verify(lake).findings]
    answers.put((faults, sorted((name, receipt.sha256 if receipt else "") for name, receipt in found)))


def seen(settings: Settings) -> object:
    answers: mp.Queue[object] = _FORKED.Queue()
    child = _FORKED.Process(target=look, args=(settings, answers))
    child.start()
    found = answers.get(timeout=120)
    child.join()
    return found


def run(settings: Settings, kill_after: float | None = None) -> float:
    """Play in a process of its own, and return how long it took, seconds."""
    child, begun = _FORKED.Process(target=play, args=(settings,)), time.monotonic()
    child.start()
    if kill_after is not None:
        child.join(kill_after)
        if child.is_alive() and child.pid is not None:
            os.kill(child.pid, signal.SIGKILL)
    child.join()
    if kill_after is None:
        assert child.exitcode == 0
    return time.monotonic() - begun


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_killed_at_random_moments_and_run_again_it_ends_as_if_undisturbed(
    bucket_settings: Settings, tmp_path: Path
) -> None:
    undisturbed = read_settings({"SHELFPRICE_HOME": str(tmp_path / "undisturbed")})
    took = run(undisturbed)
    expected, dice = seen(undisturbed), random.Random(os.urandom(8))
    longest = max(took, run(bucket_settings))
    for number in range(KILLS):
        own = bucket_settings.model_copy(
            update={"lake_address": f"{bucket_settings.lake_address}-{number}", "home": tmp_path / str(number)}
        )
        moment = dice.uniform(0, longest)
        run(own, kill_after=moment)
        run(own)
        assert seen(own) == expected, f"killed after {moment:.3f} s"
