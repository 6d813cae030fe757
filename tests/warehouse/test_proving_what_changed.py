"""A check of what changed sees every change, and what rots unseen comes round in time."""

import os
from collections.abc import Callable

import pyarrow as pa
import pytest

from catalog.settings import Settings
from plugins.operations.checks import proving
from plugins.operations.checks.lake_files import files_of
from plugins.operations.checks.proving import verify
from warehouse.commits.notes import PROVEN
from warehouse.lake import Lake, Partition
from warehouse.receipts import final_path


@pytest.fixture
def lake(settings: Settings, partition: Partition, cells: Callable[..., pa.Table]) -> Lake:
    """Prepare a lake with a partition alone and two that were committed together, all of it proven some time ago."""
    lake = Lake(settings)
    lake.prepare()
    lake.publish(partition, cells(), inputs="a")
    with lake.commit("batch", inputs="b") as commit:
        for group in ("S02", "S03"):
            commit.publish(Partition(partition.table, partition.business_date, group), cells(30))
    for folder, _, _ in os.walk(lake.root):
        os.utime(folder, (1, 1))
    verify(lake)
    return lake


@pytest.fixture
def nothing_comes_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "_AGAIN", 0)


@pytest.mark.usefixtures("nothing_comes_round")
def test_what_stands_as_it_was_proven_is_not_looked_at_again(lake: Lake) -> None:
    assert verify(lake, only_changed=True).files == 0


@pytest.mark.usefixtures("nothing_comes_round")
def test_a_date_that_changed_is_looked_at_once_and_then_no_more(
    lake: Lake, partition: Partition, cells: Callable[..., pa.Table]
) -> None:
    lake.publish(partition, cells(20), inputs="c")
    assert verify(lake, only_changed=True).rows == 80
    assert verify(lake, only_changed=True).rows == 80  # it changed this instant, and may again
    for folder in (lake.path(partition).parent, final_path(lake.path(partition)).parent):
        os.utime(folder, (2, 2))
    assert [verify(lake, only_changed=True).rows for _ in range(2)] == [80, 0]


@pytest.mark.usefixtures("nothing_comes_round")
@pytest.mark.parametrize("with_receipt", [True, False])
def test_a_part_of_a_commit_that_went_is_missed_until_it_is_there_again(
    lake: Lake, partition: Partition, *, with_receipt: bool
) -> None:
    data = lake.path(Partition(partition.table, partition.business_date, "S02"))
    gone = [data, *([final_path(data)] if with_receipt else [])]
    for path in gone:
        path.rename(path.with_suffix(".away"))
    for _ in range(2):
        assert "missing" in {one.kind for one in verify(lake, only_changed=True).findings}
    for path in gone:
        path.with_suffix(".away").rename(path)
    assert verify(lake, only_changed=True).findings == ()


def test_a_bit_that_rots_where_it_lies_is_found_when_its_turn_comes(
    lake: Lake, partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, stands = lake.path(partition), lake.path(partition).read_bytes()
    path.write_bytes(stands[:-1] + b"?")
    monkeypatch.setattr(proving, "_AGAIN", 5)
    checks = len(proving.look_at(lake).stands) // 5 + 1
    found = [len(verify(lake, only_changed=True).findings) for _ in range(checks)]
    assert 1 in found
    assert found[-1] == 1  # and is found again until it is mended
    path.write_bytes(stands)
    assert verify(lake, only_changed=True).findings == ()


def test_what_comes_round_is_so_many_folders_however_many_a_date_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "_AGAIN", 12)
    things = dict.fromkeys(("2026-01-05", "2026-01-06", "batch-1", "2026-01-07", "batch-2"), "as it was")
    assert proving.ProofLook(things, things, {}).due == set(things)
    of_many = proving.ProofLook(things, things, dict.fromkeys(("2026-01-05", "2026-01-06", "2026-01-07"), 6))
    assert of_many.due == {"2026-01-05", "2026-01-06"}


def test_without_a_record_everything_is_looked_at(lake: Lake) -> None:
    lake.notes.remove(PROVEN)
    assert verify(lake, only_changed=True).files == len(files_of(lake.store).names())
