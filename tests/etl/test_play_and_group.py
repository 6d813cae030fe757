"""A batch that is grouped while its rows are in memory leaves the lake that playing and then transforming leaves."""

import datetime as dt
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hourly_store import short_catalog

from catalog.errors import DataError
from catalog.load import Catalog
from catalog.settings import Settings, read_settings
from etl import play_and_group as fused
from etl.batches import Batch, BatchResult, batches_of, play_batch
from etl.ledger import LedgerRow, in_force_in
from etl.play_and_group import play_and_group
from etl.transform import transform
from flows.workspace import bring_dimensions_up_to_date, prepared
from serving.in_force import pricing_on
from warehouse.commit import Commit
from warehouse.lake import Lake, Partition, Published
from warehouse.sold import COUNTS
from warehouse.workspace import Workspace

pytestmark = pytest.mark.play

DAYS = [dt.date(2026, 1, 5), dt.date(2026, 1, 6)]
SEED = 7
Play = Callable[..., BatchResult]


class KilledError(BaseException):
    """Stands for a kill: nothing of the program catches it."""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return short_catalog(("S01", "S02", "S03"))


@pytest.fixture(scope="module")
def ready(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home before its first day; it is copied."""
    home = tmp_path_factory.mktemp("ready")
    prepared(read_settings({"SHELFPRICE_HOME": str(home)}), catalog)
    return home


@pytest.fixture(scope="module")
def undisturbed(ready: Path, catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every file of a lake whose days were played, and then transformed."""
    workspace = copied(ready, tmp_path_factory.mktemp("plain"), catalog)
    played(workspace, play_batch)
    transform(workspace)
    return files_of(workspace.lake)


@pytest.fixture(scope="module")
def fused_home(ready: Path, catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home whose days were grouped while they were played; it is copied."""
    home = tmp_path_factory.mktemp("fused")
    assert played(copied(ready, home, catalog), play_and_group) == ["played"] * 4
    return home


@pytest.fixture
def workspace(ready: Path, settings: Settings, catalog: Catalog) -> Workspace:
    return copied(ready, settings.home, catalog)


@pytest.fixture
def grouped(fused_home: Path, settings: Settings, catalog: Catalog) -> Workspace:
    return copied(fused_home, settings.home, catalog)


def copied(source: Path, home: Path, catalog: Catalog) -> Workspace:
    shutil.copytree(source, home, dirs_exist_ok=True)
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    return Workspace(settings, catalog, Lake(settings))


def batches(workspace: Workspace) -> list[Batch]:
    """Cut each day into two batches of a store each."""
    whole = batches_of(workspace.catalog, DAYS, 2)
    return [
        replace(batch, group=f"g{number:03d}", stores=(store,))
        for batch in whole
        for number, store in enumerate(batch.stores)
    ]


def played(workspace: Workspace, play: Play) -> list[str]:
    return [play_one(workspace, batch, play).action for batch in batches(workspace)]


def play_one(workspace: Workspace, batch: Batch, play: Play) -> BatchResult:
    return play(workspace, batch, pricing_on(workspace.lake, workspace.catalog, batch.business_date), SEED)


def files_of(lake: Lake) -> dict[str, bytes]:
    """Return the bytes of every file of a lake, but for the records that only save looks."""
    saves_looks = {"grouped.json", "proven.json"}
    found = (path for path in sorted(lake.root.rglob("*")) if path.is_file() and path.name not in saves_looks)
    return {str(path.relative_to(lake.root)): path.read_bytes() for path in found}


def cells_in(lake: Lake) -> list[Partition]:
    """Return the partitions of cells, which have counts beside them."""
    cells, *counts = [
        [(own.business_date, own.group) for own in lake.partitions(table)] for table in ("demand_cells", *COUNTS)
    ]
    assert counts == [cells] * len(COUNTS)
    return list(lake.partitions("demand_cells"))


def test_every_file_is_that_of_playing_and_transforming(grouped: Workspace, undisturbed: dict[str, bytes]) -> None:
    assert files_of(grouped.lake) == undisturbed


def test_transform_finds_everything_current(grouped: Workspace) -> None:
    assert transform(grouped).partitions == 0


def test_a_batch_that_stands_is_neither_played_nor_grouped_again(
    grouped: Workspace, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fused, "groups_of_rows", None)
    assert played(grouped, play_and_group) == ["unchanged"] * 4
    assert files_of(grouped.lake) == undisturbed


@pytest.mark.parametrize("at", [1, 4, 16, *(pytest.param(at, marks=pytest.mark.slow) for at in (2, 3))])
def test_a_kill_at_any_publishing_and_the_same_call_again_end_as_an_undisturbed_run(
    workspace: Workspace, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    made, kill = 0, Commit.make

    def make(commit: Commit) -> None:
        nonlocal made
        made += 1
        if made == at:
            raise KilledError
        kill(commit)

    with monkeypatch.context() as patched:
        patched.setattr(Commit, "make", make)
        with pytest.raises(KilledError):
            played(workspace, play_and_group)
    assert files_of(workspace.lake) != undisturbed
    played(workspace, play_and_group)
    assert drafts_aside(workspace.lake) == undisturbed


def drafts_aside(lake: Lake) -> dict[str, bytes]:
    """Return the files of a lake; a staged file of a commit that never counted is none of them."""
    return {name: content for name, content in files_of(lake).items() if not name.endswith(".new")}


def test_decisions_that_were_left_without_cells_are_grouped_by_transform_to_the_same_bytes(
    workspace: Workspace, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(fused, "_group", lambda *_: None)
        played(workspace, play_and_group)
    assert cells_in(workspace.lake) == []
    transform(workspace)
    assert files_of(workspace.lake) == undisturbed


def test_a_shelf_that_changed_brings_the_cells_of_the_new_shelf(
    ready: Path, grouped: Workspace, catalog: Catalog, tmp_path: Path
) -> None:
    dearer = catalog.products[0].model_copy(update={"base_price": catalog.products[0].base_price + 0.1})
    changed = Catalog((dearer, *catalog.products[1:]), catalog.store)
    plain = copied(ready, tmp_path / "plain", catalog)
    played(plain, play_batch)
    lakes = []
    for before, play in ((grouped, play_and_group), (plain, play_batch)):
        transform(before)
        after = replace(before, catalog=changed)
        bring_dimensions_up_to_date(after.lake, changed)
        assert set(played(after, play)) == {"replaced"}
        transform(after)
        lakes.append(files_of(after.lake))
    assert lakes[0] == lakes[1]


def test_rows_that_break_an_assertion_get_no_cells_and_transform_says_which(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = Commit.publish

    def spoiled(commit: Commit, partition: Partition, rows: pa.Table, **how: str) -> Published:
        return publish(commit, partition, without_purchases(rows) if partition.table == "interactions" else rows, **how)

    with monkeypatch.context() as patched:
        patched.setattr(Commit, "publish", spoiled)
        patched.setattr(fused, "play_batch", playing_spoiled_rows)
        played(workspace, play_and_group)
    assert cells_in(workspace.lake) == []
    with pytest.raises(DataError, match="outcome agrees with purchased"):
        transform(workspace)


def playing_spoiled_rows(
    *args: object, anew: bool, and_then: Callable[[str, dict[str, pa.Table]], object]
) -> BatchResult:
    """Play a batch and hand on what was published of it."""

    def spoil(sha256: str, tables: dict[str, pa.Table]) -> None:
        and_then(sha256, {**tables, "interactions": without_purchases(tables["interactions"])})

    return play_batch(*args, anew=anew, and_then=spoil)  # type: ignore[arg-type]


def without_purchases(rows: pa.Table) -> pa.Table:
    nobody = pa.array([False] * rows.num_rows)
    return rows.set_column(rows.column_names.index("purchased"), rows.schema.field("purchased"), nobody)


def test_a_store_that_two_batches_of_a_date_hold_gets_no_cells_and_transform_says_so(
    workspace: Workspace,
) -> None:
    first, second = (Batch(DAYS[0], group, ("S01",)) for group in ("g000", "g001"))
    play_one(workspace, first, play_and_group)
    play_one(workspace, second, play_and_group)
    assert [own.group for own in cells_in(workspace.lake)] == ["g000"]
    with pytest.raises(DataError, match="key of interactions is unique"):
        transform(workspace)


def test_the_stores_of_another_batch_of_the_date_are_read_once_and_anew_when_it_was_played_anew(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def noted(lake: Lake, business_date: dt.date, group: str) -> tuple[LedgerRow, ...]:
        read.append(group)
        return in_force_in(lake, business_date, group)

    monkeypatch.setattr(fused, "in_force_in", noted)
    monkeypatch.setattr(fused, "_OPEN", threading.local())
    for group, store in (("g000", "S01"), ("g001", "S02"), ("g002", "S03"), ("g000", "S04"), ("g003", "S05")):
        play_one(workspace, Batch(DAYS[0], group, (store,)), play_and_group)
    assert read == ["g000", "g001", "g002", "g000"]


def test_damaged_decisions_without_cells_are_left_to_transform(workspace: Workspace) -> None:
    batch = batches(workspace)[0]
    play_one(workspace, batch, play_batch)
    data = workspace.lake.path(batch.partition)
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    assert play_one(workspace, batch, play_and_group).action == "unchanged"
    assert cells_in(workspace.lake) == []
    shutil.rmtree(workspace.settings.home)
