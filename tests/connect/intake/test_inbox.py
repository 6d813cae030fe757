"""Files of an inbox: each is moved away after its lines are in the lake, and nothing is taken twice or in half."""

import csv
import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from selling_store import SellingStore, line

from catalog.errors import Declined, LakeError
from connect.intake import inbox
from connect.intake.inbox import take_in
from warehouse.lake import Lake
from warehouse.locks import held

HEADER = "store_id,receipt,line,sku,sold_at,units,price\n"
ROW = "S01,R{},1,MILK,2026-01-19T10:00:00Z,1,1.29\n"


@pytest.fixture
def store(tmp_path: Path) -> SellingStore:
    (tmp_path / "inbox").mkdir()
    return SellingStore(tmp_path)


@pytest.fixture
def folder(store: SellingStore, tmp_path: Path) -> Path:
    return tmp_path / "inbox"


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_file_of_each_kind_is_taken_in_and_moved_to_done(store: SellingStore, folder: Path) -> None:
    (folder / "a.csv").write_text(f"\ufeff{HEADER}{ROW.format(1)}", encoding="utf-8")
    (folder / "b.csv").write_text((HEADER + ROW.format(2)).replace(",", ";"), encoding="utf-8")
    (folder / "c.jsonl").write_text(json.dumps(line(receipt="R3")) + "\n\n", encoding="utf-8")
    rows = [
        {**line(receipt="R4"), "units": 2.0},
        line(event_id="V1", units=None, price=None, voids_receipt="R1", voids_line=1),
    ]
    pq.write_table(
        pa.Table.from_pylist([{**dict.fromkeys(rows[0] | rows[1]), **row} for row in rows]), folder / "d.parquet"
    )
    (folder / "stock.csv").write_text(
        "store_id,sku,happened_at,kind,units\nS01,MILK,2026-01-19T06:00:00Z,count,9\n", encoding="utf-8"
    )
    (folder / "visitors.csv").write_text("store_id,hour_at,visitors\nS01,2026-01-19T08:00:00Z,31\n", encoding="utf-8")
    taken = take_in(store.workspace, store.intake, folder)
    assert [(own.file.name, own.kind, own.taken, own.refused) for own in taken] == [
        ("a.csv", "sales", 1, 0),
        ("b.csv", "sales", 1, 0),
        ("c.jsonl", "sales", 1, 0),
        ("d.parquet", "sales", 2, 0),
        ("stock.csv", "stock", 1, 0),
        ("visitors.csv", "traffic", 1, 0),
    ]
    assert all(name.startswith("done/") for name in names(folder))
    assert store.units() == {("S01", "MILK", 1.29): 4}


def test_a_file_with_refused_lines_is_kept_with_their_reasons_and_its_other_lines_count(
    store: SellingStore, folder: Path
) -> None:
    bad = ROW.format(2).replace("MILK", "=MLIK")
    (folder / "a.csv").write_text(HEADER + ROW.format(1) + bad + "S01,R3\n", encoding="utf-8")
    (own,) = take_in(store.workspace, store.intake, folder)
    assert (own.taken, own.refused) == (1, 2)
    assert names(folder) == ["refused/a.csv", "refused/a.csv.reasons.csv"]
    rows = list(csv.DictReader((folder / "refused" / "a.csv.reasons.csv").open(encoding="utf-8")))
    assert [(row["line"], row["reason"], row["found"]) for row in rows] == [
        ("2", "unknown_product", "'=MLIK"),
        ("3", "not_valid", "S01,R3"),
    ]


def test_a_time_of_parquet_that_python_cannot_hold_is_refused_and_the_other_lines_count(
    store: SellingStore, folder: Path
) -> None:
    rows = pa.Table.from_pylist([line(receipt="R1"), line(receipt="R2")])
    moments = pa.array([1_768_814_400_000_000, 253_402_318_800_000_000], pa.timestamp("us", tz="America/New_York"))
    pq.write_table(rows.set_column(rows.schema.get_field_index("sold_at"), "sold_at", moments), folder / "a.parquet")
    (own,) = take_in(store.workspace, store.intake, folder)
    assert (own.taken, own.refused) == (1, 1)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"\xff\xfe\n"),
        ("a.csv", b"sku,sku\n1,2\n"),
        ("a.parquet", b"no parquet PAR1"),
        ("a.jsonl", b'{"sku": 1, "sku": 2}\n'),
        ("a.jsonl", b"[" * 100_000 + b"\n"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_brings_nothing(
    store: SellingStore, folder: Path, name: str, content: bytes
) -> None:
    (folder / name).write_bytes(content)
    (own,) = take_in(store.workspace, store.intake, folder)
    assert (own.taken, own.refused) == (0, 1)
    assert names(folder) == [f"refused/{name}", f"refused/{name}.reasons.csv"]
    assert not store.receipt_lines()


def test_a_file_that_is_still_being_written_waits(store: SellingStore, folder: Path) -> None:
    half = folder / "a.csv"
    half.write_text(HEADER + ROW.format(1) + "S01,R2,1,MILK,2026-01-19T10:00:00Z,1,1.2", encoding="utf-8")
    (folder / ".b.csv").write_text(HEADER + ROW.format(3), encoding="utf-8")
    (folder / "c.parquet").write_bytes(b"PAR1 and more")
    assert take_in(store.workspace, store.intake, folder) == []
    with half.open("a", encoding="utf-8") as writer:
        writer.write("9\n")
    assert [own.taken for own in take_in(store.workspace, store.intake, folder)] == [2]
    old = time.time() - 60
    os.utime(folder / "c.parquet", (old, old))
    assert [own.refused for own in take_in(store.workspace, store.intake, folder)] == [1]
    assert names(folder) == [".b.csv", "done/a.csv", "refused/c.parquet", "refused/c.parquet.reasons.csv"]


def test_a_name_may_be_used_again_and_nothing_that_is_done_is_written_over(store: SellingStore, folder: Path) -> None:
    for number in (1, 2):
        (folder / "a.csv").write_text(HEADER + ROW.format(number), encoding="utf-8")
        take_in(store.workspace, store.intake, folder)
    assert names(folder) == ["done/a.2.csv", "done/a.csv"]
    assert len(store.receipt_lines()) == 2


def test_a_file_stays_until_its_lines_are_in_the_lake(
    store: SellingStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.csv").write_text(HEADER + ROW.format(1), encoding="utf-8")

    def full(*_: Any, **__: Any) -> None:
        raise LakeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Lake, "publish", full)
        with pytest.raises(LakeError):
            take_in(store.workspace, store.intake, folder)
    assert names(folder) == ["reading/a.csv"]
    (folder / "a.csv").write_text(HEADER + ROW.format(1) + ROW.format(2), encoding="utf-8")
    assert [(own.taken, own.known) for own in take_in(store.workspace, store.intake, folder)] == [(1, 0), (1, 1)]
    assert Counter(row["receipt"] for row in store.receipt_lines()) == {"R1": 1, "R2": 1}


def test_two_commands_do_not_take_files_from_one_folder(store: SellingStore, folder: Path) -> None:
    with (
        held(store.settings.locks, inbox._lock_of(folder)),
        pytest.raises(Declined, match="the files of this folder are being taken in by process"),
    ):
        take_in(store.workspace, store.intake, folder)
