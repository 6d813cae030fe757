"""Files of an inbox: each is moved away after its lines are in the lake, and nothing is taken twice or in half."""

import csv
import gzip
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

from catalog.errors import DataError, Declined, LakeError
from catalog.load import WatchedCatalog
from plugins.connect.intake import inbox
from plugins.connect.intake.inbox import follow, passed_over, take_file, take_in
from plugins.connect.intake.sales_files import is_taken
from plugins.connect.reports import show_files
from plugins.own_store.files import bounds
from warehouse.commits.locks import held
from warehouse.lake import Lake
from warehouse.workspace import Workspace

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
    rival = "rival,sku,price,seen_at\nCorner,MILK,1,2026-01-19T08:00:00Z\n"
    (folder / "rivals.csv").write_text(rival, encoding="utf-8")
    (folder / "events.csv").write_text("date,store,event,temperature\n2026-12-24,,market,2.5\n", encoding="utf-8")
    taken = take_in(store.workspace, store.intake, folder)
    assert [(own.file.name, own.kind, own.taken, own.refused) for own in taken] == [
        ("a.csv", "sales", 1, 0),
        ("b.csv", "sales", 1, 0),
        ("c.jsonl", "sales", 1, 0),
        ("d.parquet", "sales", 2, 0),
        ("events.csv", "announced", 2, 0),
        ("rivals.csv", "rivals", 1, 0),
        ("stock.csv", "stock", 1, 0),
        ("visitors.csv", "traffic", 1, 0),
    ]
    assert all(name.startswith("done/") for name in names(folder))
    assert store.units() == {("S01", "MILK", 1.29): 4}


def test_a_single_file_is_taken_in_where_it_is_and_its_refusals_are_printed(
    store: SellingStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"{HEADER}{ROW.format(1)}{ROW.format(2).replace('MILK', 'MLIK')}", encoding="utf-8")
    done = take_file(store.workspace, store.intake, file)
    assert (file.exists(), done.kind, done.taken, done.refused) == (True, "sales", 1, 1)
    show_files([done], as_json=False)
    assert "line 2: unknown_product: expected sku: a product" in capsys.readouterr().err
    file.write_text("date,event\nChristmas,choir\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2: expected a date such as 2026-12-24, found 'Christmas'"):
        take_file(store.workspace, store.intake, file)


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


def test_a_compressed_file_whose_name_is_used_again_keeps_a_name_that_is_taken_in(
    store: SellingStore, folder: Path
) -> None:
    (folder / "reading").mkdir()
    for number, place in enumerate((folder / "reading" / "a.csv.gz", folder / "a.csv.gz")):
        place.write_bytes(gzip.compress((HEADER + ROW.format(number)).encode()))
    assert [own.taken for own in take_in(store.workspace, store.intake, folder)] == [1, 1]
    assert names(folder) == ["done/a.2.csv.gz", "done/a.csv.gz"]
    assert all(is_taken(name) for name in names(folder))


def test_who_follows_an_inbox_hears_once_of_what_is_never_taken_in(store: SellingStore, folder: Path) -> None:
    (folder / "b.pdf").write_bytes(b"%PDF")
    (folder / "a.csv").write_text(HEADER + ROW.format(1), encoding="utf-8")
    heard, catalog = list[str](), WatchedCatalog(store.folder)

    def hear(file: Path, _why: str) -> None:
        heard.append(file.name)

    files = follow(store.workspace, catalog, store.intake, folder, pause=lambda _: None, pass_over=hear)
    assert next(files).taken == 1
    (folder / "c.csv").write_text(HEADER + ROW.format(2), encoding="utf-8")
    assert next(files).taken == 1
    assert heard == ["b.pdf"]


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


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", (HEADER + ROW.format(1)).replace(",", "\t").encode()),
        ("a.csv.gz", gzip.compress((HEADER + ROW.format(1)).encode())),
        ("a.jsonl.gz", gzip.compress(json.dumps(line()).encode() + b"\n")),
        ("a.txt", json.dumps(line()).encode() + b"\n"),
        ("a.csv", (HEADER + ROW.format(1)).encode("utf-16")),
        ("a.csv", (HEADER + ROW.format(1)).encode("utf-16-le")),
        ("a.csv", (HEADER + ROW.format("\xe9")).encode("latin-1")),
        ("a.CSV", (HEADER + ROW.format(1)).replace(",", ";").replace("1.29", "1,29").encode()),
        ("a.csv", (HEADER + ROW.format(1)).replace("1.29", '"1,29"').replace("\n", "\r\n").encode()),
    ],
)
def test_a_file_is_read_as_ingest_reads_it_whatever_its_encoding_compression_and_decimal_sign(
    store: SellingStore, folder: Path, name: str, content: bytes
) -> None:
    (folder / name).write_bytes(content)
    (own,) = take_in(store.workspace, store.intake, folder)
    assert (own.taken, own.refused) == (1, 0), list((folder / "refused").glob("*"))
    assert [(row["units"], row["price"]) for row in store.receipt_lines()] == [(1, 1.29)]
    assert names(folder) == [f"done/{name}"]


def test_numbers_that_may_have_thousands_are_read_as_the_other_numbers_of_the_file_say(
    store: SellingStore, folder: Path
) -> None:
    rows = ["S01;R1;1;MILK;2026-01-19T10:00:00Z;1,250;1,29", "S01;R2;1;MILK;2026-01-19T10:00:00Z;1.250;1.29"]
    (folder / "a.csv").write_text(HEADER.replace(",", ";") + rows[0] + "\n", encoding="utf-8")
    (folder / "b.csv").write_text(HEADER.replace(",", ";") + rows[1] + "\n", encoding="utf-8")
    take_in(store.workspace, store.intake, folder)
    assert [row["units"] for row in store.receipt_lines()] == [1.25, 1.25]


def test_a_compressed_file_that_is_still_being_written_waits(store: SellingStore, folder: Path) -> None:
    content = gzip.compress((HEADER + ROW.format(1) * 50).encode())
    (folder / "a.csv.gz").write_bytes(content[:-9])
    assert take_in(store.workspace, store.intake, folder) == []
    (folder / "a.csv.gz").write_bytes(content)
    assert [(own.taken, own.known) for own in take_in(store.workspace, store.intake, folder)] == [(1, 49)]


def test_a_small_file_that_holds_very_much_is_refused_before_it_is_taken_in(
    store: SellingStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MOST_UNPACKED", 1 << 20)
    one = pa.Table.from_pylist([line()])
    pq.write_table(one.take(pa.array([0] * 300_000)), folder / "a.parquet")
    (folder / "b.csv.gz").write_bytes(gzip.compress((HEADER + ROW.format(1) * 60_000).encode()))
    (folder / "c.csv").write_text(",".join(f"c{at}" for at in range(2_000)) + "\n1\n", encoding="utf-8")
    taken = take_in(store.workspace, store.intake, folder)
    assert [(own.file.name, own.kind, own.refused) for own in taken if own.file.name != "b.csv.gz"] == [
        ("a.parquet", None, 1),
        ("c.csv", None, 1),
    ]
    said = [(folder / "refused" / f"{name}.reasons.csv").read_text() for name in ("a.parquet", "b.csv.gz", "c.csv")]
    assert "found 300,000 rows" in said[0]
    assert "to unpack to at most 100 times its size" in said[1]
    assert "expected at most 1,000 columns, found 2,000" in said[2]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_file_with_more_lines_than_allowed_is_refused_and_says_how_to_allow_them(
    store: SellingStore, folder: Path, name: str
) -> None:
    lines = [line(receipt=f"R{number}") for number in range(4)]
    if name == "a.csv":
        (folder / name).write_text(HEADER + "".join(map(ROW.format, range(4))), encoding="utf-8")
    elif name == "a.jsonl":
        (folder / name).write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(lines), folder / name)
    settings = store.settings.model_copy(update={"inbox_lines": 3})
    workspace = Workspace(settings, store.catalog, store.lake)
    (own,) = take_in(workspace, store.intake, folder)
    assert (own.taken, own.refused) == (0, 1)
    assert "SHELFPRICE_INBOX_LINES" in (folder / "refused" / f"{name}.reasons.csv").read_text(encoding="utf-8")


def test_a_text_that_stands_in_many_rows_of_parquet_is_never_unpacked(store: SellingStore, folder: Path) -> None:
    rows = pa.table({"note": pa.array(["x" * 2_000_000]).take(pa.array([0] * 1_000)), "sku": ["MILK"] * 1_000})
    pq.write_table(rows, folder / "a.parquet")
    (own,) = take_in(store.workspace, store.intake, folder)
    assert (own.taken, own.refused) == (0, 1)
    assert "MB of text" in (folder / "refused" / "a.parquet.reasons.csv").read_text(encoding="utf-8")


def test_links_pipes_folders_and_unknown_files_are_never_read_and_named_with_why(
    store: SellingStore, folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(HEADER + ROW.format(1), encoding="utf-8")
    (folder / "link.csv").symlink_to(outside)
    (folder / "nowhere.csv").symlink_to(tmp_path / "none")
    (folder / "folder.csv").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.csv")
    (folder / "own").mkdir()
    (folder / "a.xlsx").write_bytes(b"PK")
    (folder / ".hidden.csv").write_text("half", encoding="utf-8")
    assert take_in(store.workspace, store.intake, folder) == []
    assert {file.name: why.split(":")[0].split(",")[0] for file, why in passed_over(folder)} == {
        "a.xlsx": "no file of sales by its name",
        "folder.csv": "a link",
        "link.csv": "a link",
        "nowhere.csv": "a link",
        "own": "a folder",
        "pipe.csv": "a pipe or a device",
    }
    assert outside.exists()
    assert (folder / "link.csv").is_symlink()
    assert not store.receipt_lines()


@pytest.mark.parametrize("name", ["reading", "done", "refused"])
def test_nothing_is_moved_or_written_through_a_link_in_place_of_a_folder_or_draft(
    store: SellingStore, folder: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / name).symlink_to(tmp_path / "elsewhere")
    (folder / "a.csv").write_text(HEADER + ROW.format(1) + "S01,R2\n" * (name == "refused"), encoding="utf-8")
    with pytest.raises(DataError, match="expected a folder, found a link"):
        take_in(store.workspace, store.intake, folder)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_draft_of_reasons_is_never_written_through_a_link(
    store: SellingStore, folder: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("mine", encoding="utf-8")
    (folder / "refused").mkdir()
    (folder / "refused" / ".a.csv.reasons.csv.draft").symlink_to(kept)
    (folder / "a.csv").write_text(HEADER + "S01,R2\n", encoding="utf-8")
    assert [own.refused for own in take_in(store.workspace, store.intake, folder)] == [1]
    assert kept.read_text(encoding="utf-8") == "mine"
