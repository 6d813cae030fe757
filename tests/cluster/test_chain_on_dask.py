"""From days that are played to prices and a retailer's file, on a real cluster: what one machine makes to the byte."""

import datetime as dt
import hashlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from dask_servers import Cluster, cluster_in

pytest.importorskip("distributed", reason="make install-cluster")

from distributed import Client

from catalog.load import CLASSIC, DEFAULT_DIR, load
from catalog.settings import Settings, read_settings
from catalog.spread import HERE, Done, Spread, unheard
from deploy.servers.seaweed import BUCKET, Seaweed
from etl.transform import transform
from evaluation.memory_registry import MemoryRegistry
from flows.spreading import spreading
from flows.workspace import prepared
from own_data.exports.columns import Reading
from own_data.exports.ingest import ingest
from serving.make_book import commit_book, make_book
from serving.playing import batches_to_play, play_one, priced_batches
from training.fit_candidates import fit_one
from training.session import train
from warehouse.lake import Lake
from warehouse.proof import verify
from warehouse.sold import COUNTS
from warehouse.workspace import Workspace

DATES = [dt.date(2026, 1, 5) + dt.timedelta(days=day) for day in range(3)]
TOMORROW = DATES[-1] + dt.timedelta(days=1)
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
SEED = 7
PLAYED = ("interactions", "repricings", "days_in_force", "demand_cells", *COUNTS)
PRICED = ("demand_curves", "beliefs", "booked_prices")
INGESTED = ("interactions", "rejected", "promotions")


@dataclass(frozen=True)
class Made:
    """What a chain made: SHA-256 of partitions by name, and of the best model's trees and its answers."""

    played: Mapping[str, str]
    model: str
    priced: Mapping[str, str]
    ingested: Mapping[str, str]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A retailer's visits on five dates after those that are played; one line of each cannot be used."""
    file, header = tmp_path_factory.mktemp("export") / "visits.csv", "time,store,customer,sku,price,bought,promotion"
    moments = [(TOMORROW + dt.timedelta(days=day), hour) for day in range(5) for hour in range(10, 20)]
    good = [f"{date} {hour}:00,S0{hour % 3 + 1},{hour},MILK,1.{hour},{hour % 2},{hour % 2}" for date, hour in moments]
    bad = [f"{date} 10:00,S01,1,MILK,x,1,0" for date, _ in moments[::10]]
    file.write_text("\n".join([header, *good, *bad]) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, export: Path) -> Made:
    """What one machine makes."""
    return chain(read_settings({"SHELFPRICE_HOME": str(tmp_path_factory.mktemp("embedded"))}), HERE, export)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers whose lake is a folder."""
    with cluster_in(tmp_path_factory.mktemp("folder") / "home") as started:
        yield started


@pytest.fixture
def in_a_folder(shared: Cluster) -> Cluster:
    """The shared workers, with an empty lake."""
    _worker_processes(shared)  # all of them are there again
    shutil.rmtree(shared.settings.lake, ignore_errors=True)
    return shared


def chain(settings: Settings, spread: Spread, export: Path) -> Made:
    """Play, group, train, price, and ingest a retailer's file into a lake of its own."""
    workspace = played(settings, spread)
    model, registry = learned(workspace, spread)
    commit_book(workspace.lake, make_book(workspace, registry.load("1"), TOMORROW))
    twin = (sealed(workspace.lake, PLAYED), model, sealed(workspace.lake, PRICED))
    assert not verify(workspace.lake).findings
    if settings.lake_address is None:  # workers see no other home, so the folder is emptied
        shutil.rmtree(settings.lake)
        retailers = settings
    else:
        retailers = settings.model_copy(update={"lake_address": f"{settings.lake_address}-retailer"})
    done = ingest(retailers, export, Reading(), DEFAULT_DIR, NOW)
    assert (done.row["valid"], done.row["rejected"]) == (50, 5)
    assert not verify(Lake(retailers)).findings
    return Made(*twin, sealed(Lake(retailers), INGESTED))


def played(settings: Settings, spread: Spread) -> Workspace:
    """Play three dates and group them."""
    workspace = prepared(settings, load(CLASSIC))
    priced = priced_batches(workspace, DATES, None, "static")
    spread(play_one, batches_to_play(workspace, priced, "static", SEED, spread))
    transform(workspace, spread=spread)
    return workspace


def learned(workspace: Workspace, spread: Spread) -> tuple[str, MemoryRegistry]:
    """Train, and return the digest of the best model's trees and answers, and the registry that holds it."""
    registry = MemoryRegistry()
    found = train(workspace, registry, DATES[-1], SEED, spread=spread)
    digest = hashlib.sha256(repr((found.best, found.scores, found.fitted.smoothing)).encode())
    forest: Any = found.fitted.model
    for tree in (own.tree_ for own in forest.estimators_):
        for array in (tree.feature, tree.threshold, tree.children_left, tree.children_right, tree.value):
            digest.update(array.tobytes())
    digest.update(found.p_sale.tobytes())
    return digest.hexdigest(), registry


def sealed(lake: Lake, tables: Sequence[str]) -> dict[str, str]:
    return {str(part): lake.sha256(part) for table in tables for part in lake.partitions(table)}


def test_two_workers_on_a_folder_make_what_one_machine_makes(
    in_a_folder: Cluster, expected: Made, export: Path
) -> None:
    with spreading(in_a_folder.settings, seconds=0) as spread:
        assert chain(in_a_folder.settings, spread, export) == expected
    assert len(expected.played) == 7 * len(DATES)
    assert len(expected.priced) >= 2
    assert len(expected.ingested) == 15
    assert not (in_a_folder.home / "tokens").exists()


def test_two_workers_on_a_bucket_make_what_one_machine_makes(
    object_store: Seaweed, tmp_path: Path, expected: Made, export: Path
) -> None:
    variables = {**object_store.environment, "SHELFPRICE_LAKE": f"s3://{BUCKET}/{uuid4().hex[:12]}"}
    with (
        cluster_in(tmp_path / "home", **variables) as cluster,
        spreading(cluster.settings, seconds=0) as spread,
    ):
        assert chain(cluster.settings, spread, export) == expected


def test_a_delta_lake_with_visit_counts_teaches_the_same_champion(tmp_path: Path, expected: Made) -> None:
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path), "SHELFPRICE_LAKE": f"delta:{tmp_path / 'delta'}"})
    workspace = played(settings, HERE)
    assert any(workspace.lake.partitions("visit_counts"))
    assert learned(workspace, HERE)[0] == expected.model


class KillsOne:
    """A cluster of which one worker is killed while candidates are fitted."""

    is_elsewhere = True

    def __init__(self, inner: Spread, victim: int) -> None:
        self._inner, self._victim, self.width, self.has_killed = inner, victim, inner.width, False

    def __call__(self, function: Callable[[Any], Any], jobs: Sequence[Any], on_done: Done = unheard) -> list[Any]:
        def kill(done: int, total: int) -> None:
            on_done(done, total)
            if not self.has_killed:
                self.has_killed = True
                os.kill(self._victim, signal.SIGKILL)

        return self._inner(function, jobs, kill if function is fit_one else on_done)


def test_a_worker_that_is_killed_in_the_middle_of_a_training_changes_nothing(
    in_a_folder: Cluster, expected: Made
) -> None:
    victim = _worker_processes(in_a_folder)[0]
    with spreading(in_a_folder.settings, seconds=0) as spread:
        workspace = played(in_a_folder.settings, spread)
        killing = KillsOne(spread, victim)
        assert learned(workspace, killing)[0] == expected.model
    assert killing.has_killed
    assert victim not in _worker_processes(in_a_folder)


def _worker_processes(cluster: Cluster) -> list[int]:
    with Client(cluster.variables["SHELFPRICE_DASK"], set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        return sorted(client.run(os.getpid).values())
