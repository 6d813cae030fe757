"""From days that are played to prices, on a real cluster: what one machine makes to the byte."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from dask_servers import cluster_in

pytest.importorskip("distributed", reason="make install-cluster")


from catalog.load import CLASSIC, load
from catalog.settings import Settings, read_settings
from catalog.spread import HERE, Spread
from etl.transform import transform
from flows.spreading import spreading
from flows.workspace import prepared
from plugins.evaluation.memory_registry import MemoryRegistry
from plugins.operations.checks.proving import verify
from plugins.operations.deploy.servers.seaweed import BUCKET, Seaweed
from serving.book.make import commit_book, make_book
from serving.store.play import batches_to_play, play_one, priced_batches
from training.evening import Evening, RunContext
from training.fit.session import train
from warehouse.lake import Lake
from warehouse.origin import COUNTS
from warehouse.workspace import Workspace

DATES = [dt.date(2026, 1, 5) + dt.timedelta(days=day) for day in range(3)]
TOMORROW = DATES[-1] + dt.timedelta(days=1)
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
SEED = 7
PLAYED = ("interactions", "repricings", "days_in_force", "demand_cells", *COUNTS)
PRICED = ("demand_curves", "beliefs", "booked_prices")


@dataclass(frozen=True)
class Made:
    """What a chain made: SHA-256 of partitions by name, and of the best model's trees and scores."""

    played: Mapping[str, str]
    model: str
    priced: Mapping[str, str]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What one machine makes."""
    return chain(read_settings({"SHELFPRICE_HOME": str(tmp_path_factory.mktemp("embedded"))}), HERE)


def chain(settings: Settings, spread: Spread) -> Made:
    """Play, group, train and price."""
    workspace = played(settings, spread)
    model, registry = learned(workspace, spread)
    commit_book(workspace.lake, make_book(workspace, registry.load("1"), TOMORROW))
    assert not verify(workspace.lake).findings
    return Made(sealed(workspace.lake, PLAYED), model, sealed(workspace.lake, PRICED))


def played(settings: Settings, spread: Spread) -> Workspace:
    """Play three dates and group them."""
    workspace = prepared(settings, load(CLASSIC))
    priced = priced_batches(workspace, DATES, None, "static")
    spread(play_one, batches_to_play(workspace, priced, "static", SEED, spread))
    transform(workspace, spread=spread)
    return workspace


def learned(workspace: Workspace, spread: Spread) -> tuple[str, MemoryRegistry]:
    """Train, and return the digest of the best model's trees and scores, and the registry that holds it."""
    registry = MemoryRegistry()
    found = train(Evening(workspace, registry, DATES[-1], SEED, RunContext(spread=spread)))
    champion = registry.load(found.version)
    assert champion is not None
    digest = hashlib.sha256(repr((found.candidate, found.scores, champion.model.smoothing)).encode())
    forest: Any = champion.model.classifier
    for tree in (own.tree_ for own in forest.estimators_):
        for array in (tree.feature, tree.threshold, tree.children_left, tree.children_right, tree.value):
            digest.update(array.tobytes())
    return digest.hexdigest(), registry


def sealed(lake: Lake, tables: Sequence[str]) -> dict[str, str]:
    return {str(part): lake.sha256(part) for table in tables for part in lake.partitions(table)}


@pytest.mark.slow
def test_two_workers_on_a_bucket_make_what_one_machine_makes(
    object_store: Seaweed, tmp_path: Path, expected: Made
) -> None:
    variables = {**object_store.environment, "SHELFPRICE_LAKE": f"s3://{BUCKET}/{uuid4().hex[:12]}"}
    with (
        cluster_in(tmp_path / "home", **variables) as cluster,
        spreading(cluster.settings, seconds=0) as spread,
    ):
        assert chain(cluster.settings, spread) == expected
    assert len(expected.played) >= 4 * len(DATES)
    assert len(expected.priced) >= 2
