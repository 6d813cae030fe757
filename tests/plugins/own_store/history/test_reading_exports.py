"""Files as people send them: read as what they say, each row with its line, whatever kind of file it is."""

import csv
import datetime as dt
import gzip
import io
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from staged_files import Staged
from workbooks import Cell, Formula, workbook

from catalog.errors import DataError
from catalog.settings import Settings
from plugins.own_store.files import csv_file
from plugins.own_store.files.csv_file import decoded_chunks, records
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.read import open_export, spooled
from plugins.own_store.history.stage import stage_export

HEADER = "time,sku,price,bought"
ROW = "2026-01-05 10:00:00,MILK,1.50,1"
TEN = dt.datetime(2026, 1, 5, 10)  # noqa: DTZ001 - a workbook knows no zone
TEN_US, HOUR = 1_767_607_200_000_000, 3_600_000_000
Stage = Callable[..., Staged]


def sheet(*rows: list[Cell], names: str = HEADER) -> bytes:
    return workbook({"Sales": [list(names.split(",")), *rows]})


def parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    whole = {"seen_at": ["2026-01-05 10:00"], "sku": ["A"], "price_offered": [1.5], "purchased": [1]}
    pq.write_table(pa.table(whole | columns), sink)
    return sink.getvalue()


def test_the_prototypes_log_is_read_whole(stage: Stage) -> None:
    staged = stage((Path(__file__).parent / "exports" / "prototype_transactions.csv").read_bytes())
    assert (staged.lines, staged.aside) == (list(range(2, 327)), {})
    assert staged.words == ["Meat", "Cheese", "Milk", "Eggs", "Bread"]


CSVS: dict[str, tuple[bytes, dict[str, Any], list[int], dict[int, str]]] = {
    "old Macs": (f"{HEADER}\r{ROW}\r\r{ROW}\rnever,A,1.5,1\r{ROW}".encode(), {}, [2, 4, 6], {5: "the time cannot be"}),
    "Windows": (f'{HEADER}\r\n2026-01-05,"B\r\nb",1,1\r\n{ROW}'.encode(), {}, [2, 4], {}),
    "line breaks in values": (
        f'{HEADER}\n{ROW}\n2026-01-05,"Milk\nand\nhoney",2,0\n{ROW}\nwhat,MILK,1,1'.encode(), {},
        [2, 3, 6], {7: "the time cannot be read"},
    ),
    "a line break in a name": (
        b'"time\nof sale",sku,price,bought\n2026-01-05,A,1.5,1\n', {"columns": {"seen_at": "time\nof sale"}}, [3], {}
    ),
    "a quote in a name": (b'time,sku,price,bought,5"\n2026-01-05,A,1.5,1,x\n', {}, [2], {}),
    "blank lines, and records of another length": (
        "\n".join([HEADER, "", ROW, "", "1,2", ROW + ",9", ROW, ""]).encode(), {},
        [3, 7], {5: "it has 2 fields, the header 4", 6: "it has 5 fields, the header 4"},
    ),
    "a mark, semicolons and decimal commas": (
        "\ufefftime;article;price;bought\n05.01.2026 10:00;Käse;1,50;ja\n05.01.2026 10:01;B;2,10;1".encode(), {},
        [3], {2: "purchased is neither 0 nor 1"},
    ),
    "cp1252": (f"{HEADER}\n{ROW}\n2026-01-05,Käse,1,1".encode("cp1252"), {"encoding": "cp1252"}, [2, 3], {}),
    "UTF-16": (f"{HEADER}\n{ROW}".encode("utf-16"), {"encoding": "utf-16"}, [2], {}),
    "compressed": (gzip.compress("\n".join([HEADER, *[ROW] * 9]).encode()), {}, list(range(2, 11)), {}),
    "no header": (f"{ROW}\n{ROW}\n".encode(), {"header": HEADER.split(",")}, [1, 2], {}),
    "a header alone": (HEADER.encode(), {}, [], {}),
    "a header and no row of a workbook": (
        workbook({"Sales": [[], [TEN, "A", 1.5, 1]]}), {"header": HEADER.split(",")}, [2], {}
    ),
    "cells of several types": (
        sheet(
            [TEN, "A", 1.5, 1], ["05.01.2026 10:00", "A", "1,5", "yes"], [TEN, "A", dt.date(2026, 5, 1), 1],
            [46027, "A", 1.5, 1], [TEN, "NULL", 1.5, 1], [TEN, "A", 2, "no"],
        ),
        {"decimal": "."}, [2, 7],
        {3: "price_offered cannot be", 4: "price_offered cannot be", 5: "the time cannot", 6: "a required value"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CSVS)
def test_rows_keep_their_lines_whatever_the_file_is_like(stage: Stage, kind: str) -> None:
    content, reading, lines, aside = CSVS[kind]
    staged = stage(content, **reading)
    assert staged.lines == lines
    assert staged.aside.keys() == aside.keys()
    assert all(staged.aside[line].startswith(reason) for line, reason in aside.items())


TIMES: list[tuple[str, str, int | None]] = [
    ("2026-01-05", "UTC", -10),
    ("2026-01-05 10", "UTC", 0),
    ("2026-01-05T10:00", "UTC", 0),
    ("2026-01-05 10:00:00", "UTC", 0),
    ("2026-01-05 10:00:00", "Europe/Berlin", -1),
    ("2026-01-05T10:00:00Z", "Europe/Berlin", 0),
    ("2026-01-05T10:00:00+02:00", "UTC", -2),
    ("2026-01-05T10:00-0500", "Europe/Berlin", 5),
    ("05.01.2026 10:00", "UTC", 0),
    ("5.1.2026", "UTC", -10),
    ("01/05/2026 10:00", "UTC", None),
    ("2026-02-30", "UTC", None),
    ("31.02.2026", "UTC", None),
    ("2026-13-01", "UTC", None),
    ("2026-01-05 24:00", "UTC", None),
    ("20x6-01-01", "UTC", None),
    ("2026-03-29 02:30:00", "Europe/Berlin", None),
    ("2025-10-26 02:30:00", "Europe/Berlin", None),
]


@pytest.mark.parametrize(("text", "zone", "hours"), TIMES)
def test_a_time_is_the_moment_it_says_or_none(stage: Stage, text: str, zone: str, hours: int | None) -> None:
    staged = stage(f"{HEADER}\n{ROW}\n{ROW}\n{text},A,1,1\n", time_zone=zone)
    assert staged.column("seen_at")[2:] == ([] if hours is None else [TEN_US + hours * HOUR])


def test_an_offset_tells_the_hour_that_a_change_of_clocks_has_twice(stage: Stage) -> None:
    staged = stage(f"{HEADER}\n{ROW}\n2025-10-26T02:30:00+02:00,A,1,1\n", time_zone="Europe/Berlin")
    assert staged.column("seen_at")[1] == int(dt.datetime(2025, 10, 26, 0, 30, tzinfo=dt.UTC).timestamp()) * 1_000_000


def test_a_declared_form_is_the_only_one_that_is_read(stage: Stage) -> None:
    said = {"time_format": "%m/%d/%Y %H:%M", "time_zone": "America/New_York"}
    staged = stage(f"{HEADER}\n01/05/2026 05:00,A,1,1\n01/05/2026 05:00,A,1,1\n2026-01-05,A,1,1\n", **said)
    assert (staged.column("seen_at"), list(staged.aside)) == ([TEN_US, TEN_US], [4])
    staged = stage(f"{HEADER}\n01/05/2026 11:00 +0100,A,1,1\n", time_format="%m/%d/%Y %H:%M %z")
    assert staged.column("seen_at") == [TEN_US]


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("1.5", ".", 1.5), (" 1.5 ", ".", 1.5), ("1,234.50", ".", 1234.5), ("1,5", ".", None), ("1,5", ",", 1.5),
        ("1.234,50", ",", 1234.5), ("1.234", ",", 1234.0), ("1.50", ",", None), ("12", ",", 12.0), ("1e2", ".", 100.0),
        ("EUR 2", ".", None), ("0x10", ".", None), ("1_000", ".", None), ("1.2.3", ".", None),
    ],
)  # fmt: skip
def test_a_number_is_read_by_its_decimal_sign_or_not_at_all(
    stage: Stage, text: str, decimal: str, value: float | None
) -> None:
    staged = stage(f'{HEADER}\n2026-01-05,A,7,1\n2026-01-05,A,"{text}",1\n2026-01-05,A,8,1\n', decimal=decimal)
    assert staged.column("price_offered") == [7.0, *([] if value is None else [value]), 8.0]


@pytest.mark.parametrize(
    ("values", "read"),
    [
        (["1,50", "2"], [1.5, 2]), (["1.50", "2"], [1.5, 2]), (["1,990", "12,5"], [1.99, 12.5]), (["0,990"], [0.99]),
        (["1234,567"], [1234.567]), (["1,234.50"], [1234.5]), (["1.234.567"], [1234567]), (["1,234,567"], [1234567]),
        (["1.234,5"], [1234.5]), (["1.5e-3"], [0.0015]),
    ],
)  # fmt: skip
def test_the_decimal_sign_is_what_the_values_prove(stage: Stage, values: list[str], read: list[float]) -> None:
    assert (
        stage("\n".join([HEADER, *(f'2026-01-05,A,"{value}",1' for value in values)])).column("price_offered") == read
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",MILK,1.5,1", "a required value is missing"),
        ("2026-01-05, ,1.5,1", "a required value is missing"),
        ("2026-01-05,MILK,,1", "a required value is missing"),
        ("2026-01-05,MILK,1.5,NULL", "a required value is missing"),
        ("yesterday,MILK,1.5,1", "the time cannot be read"),
        ("1969-12-31,MILK,1.5,1", "the time is before 1970"),
        ("1970-01-01,MILK,1.5,1", "the time is before 1970"),
        ("9999-12-31T23:59:59-05:00,MILK,1,1", "the time is in the future"),
        ("2101-01-01,MILK,1.5,1", "the time is in the future"),
        ("2026-01-05,MILK,cheap,1", "price_offered cannot be read as a number with a decimal point"),
        ("2026-01-05,MILK,2 EUR,1", "price_offered holds a currency or unit: write the number alone"),
        ("2026-01-05,MILK,1.5,2", "purchased is neither 0 nor 1"),
    ],
)
@pytest.mark.parametrize("is_sales", [False, True])
def test_a_row_that_cannot_be_read_is_kept_aside_as_it_came(
    stage: Stage, row: str, reason: str, is_sales: bool
) -> None:
    rows = [ROW, ROW, row]
    if is_sales:
        rows = [f"{number},{row}" for number, row in enumerate(rows)]
    header, grain = ("receipt,time,sku,price,units", "receipts") if is_sales else (HEADER, "visits")
    staged = stage("\n".join([header, *rows]), grain=grain)
    if is_sales and "purchased" in reason:
        assert staged.aside == {}
        return
    assert (staged.lines, staged.aside) == ([2, 3], {4: reason})
    assert "MILK" in staged.staged.aside_on(None)["text"][0].as_py() or " " in row


def test_zero_and_one_come_in_many_words_and_nothing_else_counts(stage: Stage) -> None:
    words = ["1", "0", "TRUE", "no", "yes ", "1.0", "2", "maybe"]
    staged = stage("\n".join([HEADER, *(f"2026-01-05,A,1,{word}" for word in words)]))
    assert (staged.column("purchased"), list(staged.aside)) == ([True, False, True, False, True, True], [8, 9])


def test_a_shopper_keeps_a_number_and_a_name_is_the_same_number_in_every_file(stage: Stage) -> None:
    header = f"customer,{HEADER}"
    rows = [f"{who},{ROW}" for who in ("17", "anna", "-3", "99999999999")]
    first = stage("\n".join([header, *rows])).column("shopper")
    assert first[:2] == [17, *stage(f"{header}\nanna,{ROW}\n").column("shopper")]
    assert all(0 <= number < 2**31 for number in first)


def test_a_workbook_is_read_by_the_types_of_its_cells_and_the_numbers_of_its_rows(stage: Stage) -> None:
    rows: list[list[Cell]] = [
        [],
        ["time", "sku", "price", "bought", None, "store"],
        [TEN, 4_001_234_567_890, 1.1, True, None, 17],
        [],
        [TEN, 17, 0.3, 0, None, 17],
        [dt.date(2026, 1, 5), "17", 2, 1, None, 17],
    ]
    staged = stage(workbook({"Sales": rows}), "shop.xlsx")
    assert (staged.lines, staged.words, staged.staged.stores) == ([3, 5, 6], ["4001234567890", "17"], ["17"])
    assert staged.column("price_offered") == [1.1, 0.3, 2.0]
    assert staged.column("purchased") == [True, False, True]
    assert staged.column("seen_at") == [TEN_US, TEN_US, TEN_US - 10 * HOUR]
    staged = stage(workbook({"Sales": rows}), "shop.xlsx", time_zone="Europe/Berlin")
    assert staged.column("seen_at")[0] == TEN_US - HOUR


def test_the_first_visible_sheet_is_read_or_the_one_that_is_named(stage: Stage, tmp_path: Path) -> None:
    names: list[Cell] = list(HEADER.split(","))
    book = workbook(
        {"Old": [names], "New": [names, [TEN, "A", 1.5, 1]], "Test": [names, [TEN, "T", 1.5, 1]]}, frozenset({"Old"})
    )
    assert stage(book, "shop.xlsx").words == ["A"]
    assert stage(book, "shop.xlsx", sheet="Test").words == ["T"]
    found = open_export(tmp_path / "shop.xlsx", Reading()).sheet
    assert found is not None
    assert (found.name, found.others) == ("New", 1)


def test_a_large_sheet_comes_in_blocks_and_no_row_is_lost(stage: Stage) -> None:
    n_rows = 70_000
    staged = stage(sheet(*([TEN, f"P{row % 7}", 1.5, row % 2] for row in range(n_rows))), "shop.xlsx")
    assert staged.lines == list(range(2, n_rows + 2))


def test_formulas_that_were_computed_or_that_nobody_uses_are_read(stage: Stage) -> None:
    rows: list[list[Cell]] = [[TEN, "A", Formula("B2*2", 1.5), 1, Formula("A1")]]
    assert stage(sheet(*rows, names=f"{HEADER},total"), "shop.xlsx").column("price_offered") == [1.5]


PARQUET: dict[str, tuple[str, pa.Array, object]] = {
    "seconds": ("seen_at", pa.array([TEN_US // 1_000_000], pa.timestamp("s")), TEN_US),
    "nanoseconds of a zone": ("seen_at", pa.array([TEN_US * 1_000 + 1], pa.timestamp("ns", tz="Asia/Tokyo")), TEN_US),
    "date32": ("seen_at", pa.array([dt.date(2026, 1, 5)]), TEN_US - 10 * HOUR),
    "date64": ("seen_at", pa.array([dt.date(2026, 1, 5)], pa.date64()), TEN_US - 10 * HOUR),
    "coded text": ("seen_at", pa.array(["2026-01-05 10:00"]).dictionary_encode(), TEN_US),
    "decimal": ("price_offered", pa.array([Decimal("1.50")]), 1.5),
    "decimal256": ("price_offered", pa.array([Decimal("1.50")], pa.decimal256(50, 2)), 1.5),
    "half a float": ("price_offered", pa.array([1.5], pa.float64()).cast(pa.float16()), 1.5),
    "a float": ("price_offered", pa.array([1.1], pa.float32()), 1.10000002384185791015625),
    "a view": ("price_offered", pa.array(["1.5"], pa.string_view()), 1.5),
    "truth": ("purchased", pa.array([True]), True),
    "a product's float": ("product", pa.array([17.0]), "17"),
    "a product's decimal": ("product", pa.array([Decimal(17)], pa.decimal128(38, 0)), "17"),
    "a product's large number": ("product", pa.array([2**64 - 1], pa.uint64()), "18446744073709551615"),
    "a brand's float": ("brand", pa.array([17.0]), "17"),
    "a tier's decimal": ("tier", pa.array([Decimal(2)]), "2"),
    "a product's code": ("product", pa.array([17]).dictionary_encode(), "17"),
}


@pytest.mark.parametrize("kind", PARQUET)
def test_parquet_is_read_by_every_type_that_fits(stage: Stage, kind: str) -> None:
    ours, column, value = PARQUET[kind]
    content = parquet(**{"sku" if ours == "product" else ours: column})
    assert stage(content, "shop.parquet").column(ours) == [value]


def test_a_product_without_a_number_is_one_bad_row(stage: Stage) -> None:
    skus = pa.array([17.0, float("nan"), 18.0])
    table = {"seen_at": ["2026-01-05"] * 3, "sku": skus, "price_offered": [1.5] * 3, "purchased": [1] * 3}
    staged = stage(parquet(**table, customer=skus), "shop.parquet")
    assert (staged.words, staged.aside) == (["17", "18"], {2: "a required value is missing"})


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_a_time_beyond_the_calendar_is_one_bad_row(stage: Stage, unit: str) -> None:
    far = 2**62 // 1_000_000 if unit == "s" else 2**62
    ten = TEN_US // 10 ** {"s": 6, "ms": 3, "us": 0}[unit]
    times = pa.array([far, ten, -far, ten, ten], pa.timestamp(unit, tz="Asia/Tokyo"))
    table = {"seen_at": times, "sku": ["A"] * 5, "price_offered": [1.5] * 5, "purchased": [1] * 5}
    staged = stage(parquet(**table), "shop.parquet", time_zone="Europe/Berlin")
    assert (staged.lines, staged.column("seen_at"), list(staged.aside)) == ([2, 4, 5], [TEN_US] * 3, [1, 3])


def test_standard_input_is_a_file_while_it_is_read_and_nothing_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Settings(SHELFPRICE_HOME=tmp_path)
    own.incoming.mkdir()
    (own.incoming / "left by a kill").write_bytes(b"half of it")
    compressed = gzip.compress(f"{HEADER}\n{ROW}\n".encode())
    with spooled(io.BytesIO(compressed), own.incoming, own.locks) as file:
        assert [path.name for path in own.incoming.iterdir()] == ["standard input"]
        export = open_export(file, Reading())
        assert sum(block.rows.num_rows for block in export.blocks()) == 1
        file.write_bytes(b"just words\n")
        with pytest.raises(DataError, match=r"^standard input line 1: expected a column for seen_at"):
            open_export(file, Reading())
    assert not own.incoming.exists()
    monkeypatch.setattr("plugins.own_store.history.read._KEPT_FREE", 1 << 60)
    full = pytest.raises(DataError, match=r"more than the free space of .* allows came in")
    with full, spooled(io.BytesIO(b"x"), own.incoming, own.locks):
        pass
    assert not own.incoming.exists()


def test_what_a_kill_left_behind_is_cleared_and_nothing_is_left_in_the_end(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "staged.duckdb").write_bytes(b"half of it")
    file = tmp_path / "shop.csv"
    file.write_text(f"{HEADER}\n{ROW}\n", encoding="utf-8")
    with stage_export(open_export(file, Reading()), tmp_path / "scratch", lambda _share: None) as staged:
        assert Staged(staged).lines == [2]
    assert not (tmp_path / "scratch").exists()


@pytest.mark.parametrize("size", range(1, 9))
def test_a_line_end_cut_between_two_reads_is_one_line_end(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(csv_file, "_CHUNK", size)
    text = b"".join(decoded_chunks(io.BytesIO(b"a\r\nb\rc\nd\r\r\ne\r"), "utf-8", "file"))
    assert text.replace(b"\r\n", b"\n") == b"a\nb\nc\nd\n\ne\n"


@given(st.lists(st.sampled_from(["a,b\n", '"a\nb",c\n', '"say ""no\n""",c\n', "\n"]), max_size=12), st.integers(1, 9))
def test_blocks_end_where_records_do_and_know_their_first_line(written: list[str], size: int) -> None:
    text = "".join(["head\n", *written]).encode()
    chunks = (text[first : first + size] for first in range(0, len(text), size))
    read = b""
    for first_line, block in records(chunks, "file"):
        assert first_line == 1 + read.count(b"\n")
        assert block.count(b'"') % 2 == 0
        read += block
    assert read.rstrip() == text.rstrip()


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["2026-01-05", "2026-01-04 10:00", "?"]), VALUES, VALUES, VALUES), max_size=8
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    last=st.booleans(),
)
def test_rows_in_are_rows_taken_plus_rows_aside_each_with_its_line(
    stage: Stage, rows: list[tuple[str, ...]], delimiter: str, last: bool
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["time", "sku", "price", "bought"])
    good = [("2026-01-05", "MILK", "1.5", "1")] * (len(rows) + 1)  # a file that is mostly bad is refused whole
    begins = []
    for row in [*rows, *good]:
        begins.append(len(re.findall(r"\r\n|\r|\n", out.getvalue())) + 1)
        writer.writerow(row)
    staged = stage(out.getvalue() if last else out.getvalue().rstrip("\n"), delimiter=delimiter, decimal=".")
    assert sorted([*staged.lines, *staged.aside]) == begins
