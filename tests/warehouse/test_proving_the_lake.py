import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.errors import LakeError
from catalog.settings import Settings
from plugins.operations.checks.proving import set_aside, verify
from warehouse.files import sha256_of
from warehouse.lake import Lake, Partition
from warehouse.query.connection import workbench
from warehouse.receipts import final_path, sealed_text, unsealed


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def drop_receipt(path: Path) -> None:
    final_path(path).unlink()


def spoil_receipt(path: Path) -> None:
    final_path(path).write_text("{half", encoding="utf-8")


@pytest.fixture
def two(lake: Lake, partition: Partition, cells: Callable[..., pa.Table]) -> tuple[Partition, Partition]:
    """Name a good partition with 50 rows and one to be spoiled, in a prepared lake."""
    lake.prepare()
    spoiled = Partition("demand_cells", partition.business_date, "S02")
    lake.publish(partition, cells(), inputs="a")
    lake.publish(spoiled, cells(30), inputs="b")
    return partition, spoiled


def count(settings: Settings) -> int:
    with workbench(settings) as connection:
        row = connection.execute("select count(*) from demand_cells where n_offered = 1").fetchone()
    assert row is not None
    return int(row[0])


def test_a_sound_lake_is_counted_whole_and_progress_is_told(lake: Lake, two: tuple[Partition, Partition]) -> None:
    told: list[tuple[int, int]] = []
    verdict = verify(lake, lambda done, total: told.append((done, total)))
    assert (verdict.rows, verdict.being_written, verdict.findings) == (80, 0, ())
    assert told == [(done, verdict.files) for done in range(1, verdict.files + 1)]


@pytest.mark.parametrize("place", [0, 4, 100, 0.5, -9, -1])
def test_one_flipped_bit_anywhere_is_found(lake: Lake, two: tuple[Partition, Partition], place: float) -> None:
    path = lake.path(two[1])
    content = bytearray(path.read_bytes())
    content[int(len(content) * place) if place == 0.5 else int(place)] ^= 0b1000
    path.write_bytes(bytes(content))
    assert [(lake.root / finding.name, finding.kind) for finding in verify(lake).findings] == [(path, "damaged")]
    assert "its bytes differ from its receipt" in verify(lake).findings[0].message


def test_a_flipped_bit_anywhere_in_a_receipt_is_found(lake: Lake, two: tuple[Partition, Partition]) -> None:
    path = final_path(lake.path(two[1]))
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :])
        assert lake.receipt(two[1]) is None
        with pytest.raises(LakeError, match="not those of its receipt"):
            lake.read(two[1])
        if place % 7 == 0:  # of the whole lake, each bit of a byte in turn
            assert [(lake.root / finding.name, finding.kind) for finding in verify(lake).findings] == [
                (lake.path(two[1]), "damaged")
            ]


def test_a_receipt_without_a_seal_proves_nothing(lake: Lake, two: tuple[Partition, Partition]) -> None:
    path = final_path(lake.path(two[1]))
    path.write_text(json.dumps(unsealed(path.read_text(encoding="utf-8"))), encoding="utf-8")
    assert [finding.kind for finding in verify(lake).findings] == ["damaged"]
    with pytest.raises(LakeError, match="not those of its receipt"):
        lake.read(two[1])


def test_no_flipped_byte_is_ever_read(lake: Lake, two: tuple[Partition, Partition]) -> None:
    path = lake.path(two[1])
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :])
        assert not lake.is_proven(two[1])
        with pytest.raises(LakeError, match="not those of its receipt"):
            lake.read(two[1])


@pytest.mark.parametrize(
    ("spoil", "kind", "said"),
    [
        (cut_in_half, "damaged", "bytes instead of"),
        (empty, "damaged", "0 bytes instead of"),
        (Path.unlink, "missing", "the file is not"),
        (drop_receipt, "orphaned", "no receipt"),
        (spoil_receipt, "damaged", "expected a receipt in JSON"),
    ],
)
def test_a_spoiled_partition_is_named_and_set_aside_and_the_views_answer_from_the_good_ones(
    lake: Lake,
    settings: Settings,
    two: tuple[Partition, Partition],
    spoil: Callable[[Path], None],
    kind: str,
    said: str,
) -> None:
    path = lake.path(two[1])
    spoil(path)

    verdict = verify(lake)
    assert [(lake.root / finding.name, finding.kind) for finding in verdict.findings] == [(path, kind)]
    assert said in verdict.findings[0].message
    there = [file for file in (path, final_path(path)) if file.exists()]
    content = [file.read_bytes() for file in there]

    moved = [Path(place) for place in set_aside(lake, verdict)]

    assert not path.exists()
    assert [file.name for file in moved] == [file.name for file in there]
    assert [file.read_bytes() for file in moved] == content
    assert all(file.is_relative_to(settings.home / "set-aside") for file in moved)
    assert verify(lake).findings == ()
    assert count(settings) == 50


def test_a_partition_set_aside_can_be_made_again(
    lake: Lake, two: tuple[Partition, Partition], cells: Callable[..., pa.Table]
) -> None:
    cut_in_half(lake.path(two[1]))
    set_aside(lake, verify(lake))
    assert lake.publish(two[1], cells(30), inputs="b").action == "written"
    assert verify(lake).rows == 80


def test_a_file_with_other_columns_and_a_matching_receipt_is_still_found(
    lake: Lake, two: tuple[Partition, Partition], cells: Callable[..., pa.Table]
) -> None:
    path = lake.path(two[1])
    other = cells(30).drop_columns(["n_purchased"])
    pq.write_table(other, path)
    text = final_path(path).read_text(encoding="utf-8")
    receipt = lake_receipt(path, text)
    final_path(path).write_text(receipt, encoding="utf-8")
    findings = verify(lake).findings
    assert [(lake.root / finding.name, finding.kind) for finding in findings] == [(path, "damaged")]
    assert "contract" in findings[0].message


def test_a_folder_that_is_no_table_is_orphaned(lake: Lake, two: tuple[Partition, Partition]) -> None:
    source = lake.path(two[0])
    stray = lake.root / "wine" / source.name
    for old, new in ((source, stray), (final_path(source), final_path(stray))):
        new.parent.mkdir()
        new.write_bytes(old.read_bytes())
    assert [(lake.root / finding.name, finding.kind) for finding in verify(lake).findings] == [(stray, "orphaned")]


def lake_receipt(path: Path, text: str) -> str:
    """Return the receipt `text` as if the file at `path` had been published with it."""
    return sealed_text(unsealed(text) | {"sha256": sha256_of(path), "bytes": path.stat().st_size})
