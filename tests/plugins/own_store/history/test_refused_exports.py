"""What a retailer sends that cannot be read is refused with what it is, where, and what to do: never a traceback."""

import bz2
import gzip
import io
import lzma
import os
import random
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet as pq
import pytest
from workbooks import Formula, wide_workbook, workbook

from catalog.errors import DataError
from plugins.own_store.files import bounds
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.read import open_export
from plugins.own_store.history.stage import stage_export

HEADER = "time,sku,price,bought"
ROW = "2026-01-05 10:00:00,MILK,1.50,1"
TEXT = f"{HEADER}\n{ROW}\n"
TABLE = pa.table({"time": ["2026-01-05"], "sku": ["MILK"], "price": [1.5], "bought": [1]})


def zipped(members: dict[str, str]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as out:
        for name, text in members.items():
            out.writestr(name, text)
    return sink.getvalue()


def parquet(table: pa.Table = TABLE) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def feather() -> bytes:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(TABLE, sink)
    return sink.getvalue()


def orc() -> bytes:
    sink = io.BytesIO()
    pyarrow.orc.write_table(TABLE, sink)
    return sink.getvalue()


def sqlite(folder: Path) -> bytes:
    with sqlite3.connect(folder / "own.db") as connection:
        connection.execute("create table sales (sku text)")
    return (folder / "own.db").read_bytes()


def rows(*prices: str, header: str = HEADER) -> str:
    return "\n".join([header, *(f'2026-01-05,MILK,"{price}",1' for price in prices)])


def declared_huge() -> bytes:
    """Return a workbook that says that it holds 3 GB."""
    whole = bytearray(workbook({"Sales": [[*HEADER.split(",")]]}))
    at = whole.find(b"PK\x01\x02")
    whole[at + 24 : at + 28] = (3 << 30).to_bytes(4, "little")
    return bytes(whole)


def wide_apart() -> bytes:
    """Return a workbook of a kilobyte whose two cells span two hundred million, in more memory than is allowed."""
    whole = workbook({"Sales": [["time"]]})
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name).decode()
            last = '<row r="12000"><c r="XFD12000"><v>1</v></c></row></sheetData>'
            new.writestr(name, text.replace("</sheetData>", last) if "sheet1" in name else text)
    return sink.getvalue()


NASTY: dict[str, tuple[str, bytes | str | Callable[[Path], bytes], dict[str, Any], str]] = {
    "nothing": ("a.csv", b"", {}, "the file is empty; .*export it again"),
    "spaces": ("a.csv", " \n \n", {}, "line 1: expected a column for .*--column"),
    "a NUL in a row": ("a.csv", f"{TEXT}2026-01-05,MI\0LK,1,1\n", {}, "line 3: expected text, found a NUL byte"),
    "NULs at the end": ("a.csv", TEXT + "\0" * 500, {}, "line 3: expected text, found a NUL byte"),
    "UTF-16": ("a.csv", TEXT.encode("utf-16"), {}, "line 1: .*looks like UTF-16; add --encoding utf-16"),
    "UTF-16 without a mark": ("a.csv", TEXT.encode("utf-16-le"), {}, "UTF-16-LE; add --encoding utf-16-le"),
    "UTF-16 the other way": ("a.csv", TEXT.encode("utf-16-be"), {}, "UTF-16-BE; add --encoding utf-16-be"),
    "UTF-32": ("a.csv", TEXT.encode("utf-32"), {}, "UTF-32; add --encoding utf-32,"),
    "UTF-32 without a mark": ("a.csv", TEXT.encode("utf-32-be"), {}, "UTF-32-BE; add --encoding utf-32-be"),
    "UTF-16 said, no mark": (
        "a.csv", TEXT.encode("utf-16-le"), {"encoding": "utf-16"}, "expected UTF-16, .* add --encoding utf-16-le"
    ),
    "UTF-16 said of UTF-8": ("a.csv", TEXT, {"encoding": "utf-16"}, "cannot be read as utf-16"),
    "cp1252 said of UTF-8": (
        "a.csv", b"\xef\xbb\xbf" + TEXT.encode(), {"encoding": "cp1252"}, "looks like UTF-8; leave --encoding away"
    ),
    "cut within a character": ("a.csv", (TEXT + "é").encode()[:-1], {}, "line 3: the text ends within a character"),
    "latin letters": ("a.csv", TEXT.encode() + b"K\xe4se", {}, "line 3: byte 0xe4 is not utf-8; .*--encoding cp1252"),
    "old Mac, latin letters": (
        "a.csv", TEXT.replace("\n", "\r").encode() + b"K\xe4se", {}, "line 3: byte 0xe4 is not utf-8"
    ),
    "zip of one": ("a.zip", zipped({"sales.csv": TEXT}), {}, "zip archive that holds 'sales.csv'; .* with unzip"),
    "zip of one, named csv": ("a.csv", zipped({"sales.csv": TEXT}), {}, "zip archive that holds 'sales.csv'"),
    "zip of a Mac": (
        "a.zip", zipped({"sales.csv": TEXT, "__MACOSX/._sales.csv": "x"}), {}, "zip archive that holds 'sales.csv'"
    ),
    "zip of two": ("a.zip", zipped({"a.csv": TEXT, "b.csv": TEXT}), {}, "holds 2 files, such as 'a.csv'"),
    "zip of nothing": ("a.zip", zipped({}), {}, "zip archive without a file"),
    "zip cut short": ("a.zip", zipped({"a.csv": TEXT})[:60], {}, "damaged or cut short"),
    "Word": ("a.docx", zipped({"word/document.xml": "<x/>", "b.xml": "<x/>"}), {}, "zip archive that holds 2 files"),
    "PDF": ("a.csv", b"%PDF-1.7\n%\xe2\xe3", {}, "the file is a PDF; .*as CSV or Excel"),
    "a web page": ("a.csv", "\n<!DOCTYPE html><html>", {}, "a web page, not the export; .*download the export again"),
    "a table of a web page": ("a.xls", "<TABLE border=1><tr><td>1</td></tr>", {}, "a web page, not the export"),
    "XML": ("a.xls", '<?xml version="1.0"?><Workbook>', {}, "the file is XML"),
    "JSON": ("a.csv", '[{"sku": "MILK"}]', {}, "the file is JSON; .*CSV or Parquet"),
    "JSON lines": ("a.csv", '{"sku": "MILK"}\n{"sku": "MILK"}\n', {}, "the file is JSON"),
    "a pointer": ("a.parquet", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", {}, "run git lfs pull"),
    "SQLite": ("a.csv", sqlite, {}, "an SQLite database; .*export its table as CSV"),
    "Feather": ("a.parquet", feather(), {}, "an Arrow or Feather file; .*Parquet"),
    "ORC": ("a.parquet", orc(), {}, "an ORC file"),
    "bzip2": ("a.csv.bz2", bz2.compress(TEXT.encode()), {}, "compressed with bzip2; .*bunzip2"),
    "xz": ("a.csv.xz", lzma.compress(TEXT.encode()), {}, "compressed with xz"),
    "zstd": ("a.csv.zst", pa.compress(TEXT.encode(), "zstd", asbytes=True), {}, "compressed with zstd"),
    "a picture": ("a.csv", b"\x89PNG\r\n\x1a\n", {}, "a picture"),
    "a pickle": ("a.csv", b"\x80\x04\x95\x1f\0\0\0", {}, "a Python pickle, which is never loaded"),
    "gz of JSON": ("a.csv.gz", gzip.compress(b'{"sku": 1}'), {}, "is compressed and holds JSON"),
    "gz of Parquet": ("a.csv.gz", gzip.compress(parquet()), {}, "found another compressed file, .*gunzip"),
    "gz of gz": ("a.csv.gz", gzip.compress(gzip.compress(TEXT.encode())), {}, "found another compressed file"),
    "gz cut short": ("a.csv.gz", gzip.compress(os.urandom(9_000))[:99], {}, "compressed, and damaged or cut short"),
    "Parquet cut short": ("a.csv", parquet()[:-9], {}, r"cannot be read as Parquet \(.*\); .*again"),
    "Parquet with --encoding": ("a.parquet", parquet(), {"encoding": "cp1252"}, "--encoding is for CSV, .*leave"),
    "Parquet with --header": ("a.parquet", parquet(), {"header": ["a"]}, "Parquet names its columns; .*--column"),
    "CSV with --sheet": ("a.csv", TEXT, {"sheet": "Sales"}, "--sheet is for workbooks, and the file is CSV"),
    "old Excel, damaged": ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, {}, "cannot be read as one"),
    "a workbook named csv": (
        "a.csv", workbook({"Notes": [["see the next sheet"]], "Sales": [["x"]]}), {},
        "sheet 'Notes' row 1: expected a column for seen_at",
    ),
    "no such sheet": (
        "a.xlsx", workbook({"Sales": [["x"]], "Notes": [["y"]]}), {"sheet": "sales"},
        "expected the sheet 'sales', found 'Sales', 'Notes'; .*--sheet",
    ),
    "a sheet without cells": ("a.xlsx", workbook({"Sales": []}), {}, "has no cells in its sheet 'Sales'; .*--sheet"),
    "no visible sheet": (
        "a.xlsx", workbook({"Sales": [["x"]]}, frozenset({"Sales"})), {}, "no visible sheet .* 'Sales'; .*--sheet"
    ),
    "a workbook with --encoding": (
        "a.xlsx", workbook({"Sales": [["x"]]}), {"encoding": "cp1252"}, "--encoding is for CSV, .*leave --encoding away"
    ),
    "a workbook with --delimiter": ("a.xlsx", workbook({"Sales": [["x"]]}), {"delimiter": ";"}, "--delimiter is for"),
    "a workbook that declares 3 GB": ("a.xlsx", declared_huge(), {}, "at most 2 GB unpacked, found 3.0 GB; .*as CSV"),
    "a workbook that asks for 5 GB": ("a.xlsx", wide_apart(), {}, "needs more than 2 GB of memory; .*as CSV"),
    "a workbook cut short": ("a.xlsx", workbook({"Sales": [["x"]]})[:-40], {}, "damaged or cut short"),
    "Excel's note": ("a.csv", f"sep=;\n{TEXT}", {}, "line 1: .*found 'sep=;', .*remove this line"),
    "no header": ("a.csv", f"{ROW}\n{ROW}\n", {}, "line 1: expected a header, found '2026-01-05 .*data; .*--header"),
    "no header in a workbook": (
        "a.xlsx", workbook({"Sales": [[], [46027, "MILK", 1.5, 1]]}), {}, "sheet 'Sales' row 2: .*'46027'.*--header"
    ),
    "dates as columns": (
        "a.csv", "sku,store,2026-01-05,2026-01-06\nA,S1,3,4\n", {}, "such as '2026-01-05' and '2026-01-06'; .*into rows"
    ),
    "too few names": ("a.csv", ROW, {"header": ["time", "sku"]}, "--header names 2 columns, the first row has 4"),
    "names said twice": (
        "a.csv", TEXT, {"header": HEADER.split(",")}, "a header already, with 'time' and 'sku'; .*leave --header away"
    ),
    "a separator that is none": ("a.csv", TEXT, {"delimiter": '"'}, "--delimiter '\"' cannot separate fields"),
    "a foreign separator": ("a.csv", TEXT, {"delimiter": "ß"}, "--delimiter 'ß' cannot separate fields"),
    "a long name": ("a.csv", f'{HEADER},"{"x" * 200_000}end of it"\n', {}, "'time,.*x' ... 'x{10}end of it\"', which"),
    "a long value": (
        "a.csv", f'{TEXT}2026-01-05,"MI\n{"x" * 200_000}",1.5,1\n', {}, "line 5: from here on .*cannot be read as CSV"
    ),
    "thousands or decimals": (
        "a.csv", rows("2", "1,990"), {}, "line 3: '1,990' in 'price' may be .*--decimal . or --decimal ,"
    ),
    "thousands or decimals, by points": ("a.csv", rows("1.990"), {}, "line 2: '1.990' in 'price' may be .*--decimal"),
    "both signs": ("a.csv", rows("1,5", "1.5"), {}, "comma, such as '1,5' in 'price', line 2, .*line 3; .*--decimal"),
    "a currency behind": ("a.csv", rows("2", "1.99 EUR", "2.50 EUR"), {}, "line 3: .*currency .*'1.99 EUR' in 'price'"),
    "a currency before": ("a.csv", rows("€1,99", "€2,99"), {}, "currency or unit: .*'€1,99' in 'price', as in 2 of 2"),
    "a dollar apart": ("a.csv", rows("$ 2.50"), {}, r"currency or unit: .*'\$ 2.50' .*--column price_offered=NAME"),
    "prices in words": ("a.csv", rows("cheap"), {}, "decimal point, found 'cheap' in 'price', .*--decimal"),
    "a quote that never closes": (
        "a.csv", f'{TEXT}{ROW}\n2026-01-05,"MILK,1.50,1\n{ROW}\n', {}, "line 4: a quote opens and never closes"
    ),
    "a line without end": ("a.csv", TEXT + "x" * 20_000_000, {}, "line 3: expected a record of at most 8 MB"),
    "a column twice": ("a.csv", TEXT.replace("sku", "time"), {}, "line 1: the column 'time' appears twice"),
    "seconds since 1970": (
        "a.parquet", parquet(TABLE.set_column(0, "time", pa.array([1_767_600_000]))), {},
        "times or text in the column 'time', taken for seen_at, found the type int64",
    ),
    "no Parquet at all": ("a.parquet", b"no parquet at all", {}, "cannot be read as Parquet"),
    "thousands after whole numbers": ("a.csv", rows("3", "4", "1,990"), {}, "line 4: '1,990' in 'price' may be"),
    "too many products": (
        "a.csv", "\n".join([HEADER, *(f"2026-01-05,P{n},1,1" for n in range(5_001))]), {}, "at most 5,000 distinct"
    ),
    "a form of times that is none": ("a.csv", TEXT, {"time_format": "%Q"}, "--time-format"),
    "formulas without values": (
        "a.xlsx", workbook({"Sales": [HEADER.split(","), *[[46027, "A", Formula("B2*2"), 1]] * 2]}), {},
        r"'price': expected values, found formulas without values: C2, and 2 such cells .*save it there.*as CSV",
    ),
    "formulas written empty": (
        "a.xlsx", workbook({"Sales": [HEADER.split(","), [46027, "A", Formula("B2*2"), 1]]}), {},
        "formulas without values: C2",
    ),
    "nothing but formulas": (
        "a.xlsx", workbook({"Sales": [[Formula("A1")], [Formula("A1")]]}), {},
        "expected values, found formulas without values: A1, and 2 such cells",
    ),
    "prices in long words": (
        "a.csv", rows("a" * 60 + " very long value end"), {}, "found 'a{40}' ... ' very long value end' in 'price'"
    ),
}  # fmt: skip


@pytest.mark.server
@pytest.mark.parametrize("what", NASTY)
def test_what_cannot_be_read_is_refused_in_a_sentence(what: str, tmp_path: Path) -> None:
    name, content, reading, said = NASTY[what]
    file = tmp_path / name
    made = content(tmp_path) if callable(content) else content
    file.write_bytes(made.encode() if isinstance(made, str) else made)
    with (
        pytest.raises(DataError, match=said) as refused,
        stage_export(open_export(file, Reading.model_validate(reading)), tmp_path / "scratch", lambda _share: None),
    ):
        pass
    sentence = str(refused.value)
    assert "nothing was" in sentence
    assert "\n" not in sentence
    assert len(sentence) < 700
    assert not (tmp_path / "scratch").exists()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://shop.example/sales.csv?token=secret", "found the address https://shop.example; .*download it first"),
        ("s3://user:secret@bucket/sales.parquet", "found the address s3://bucket; "),
        ("sales", "expected a file of type CSV, CSV.gz, Parquet or .xlsx, found none"),
        (".", "expected a file, found a folder"),
        ("/dev/zero", "found a pipe or a device; .*standard input"),
    ],
)
def test_what_is_no_file_is_refused_without_its_secrets(address: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as refused:
        open_export(Path(address), Reading())
    assert "secret" not in str(refused.value)


ODD: dict[str, pa.Array] = {
    "struct": pa.array([{"a": 1}]),
    "list": pa.array([[1]]),
    "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
    "binary": pa.array([b"x"]),
    "fixed_size_binary": pa.array([b"xy"], pa.binary(2)),
    "time64": pa.array([1], pa.time64("us")),
    "duration": pa.array([1], pa.duration("us")),
    "uuid": pa.array([b"0123456789abcdef"], pa.uuid()),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize(("theirs", "ours"), [("time", "seen_at"), ("sku", "sku"), ("price", "price_offered")])
def test_parquet_is_refused_by_the_type_of_a_used_column_alone(
    kind: str, theirs: str, ours: str, tmp_path: Path
) -> None:
    file = tmp_path / "visits.parquet"
    file.write_bytes(parquet(TABLE.append_column("unused", ODD[kind])))
    assert rows_in(file) == 1
    file.write_bytes(parquet(TABLE.set_column(TABLE.column_names.index(theirs), theirs, ODD[kind])))
    said = f"in the column '{theirs}', taken for {ours}, found the type .*{kind}.*write .*--column {ours}=NAME"
    with pytest.raises(DataError, match=said):
        open_export(file, Reading())


def rows_in(file: Path) -> int:
    scratch = file.with_name("scratch")
    with stage_export(open_export(file, Reading()), scratch, lambda _share: None) as staged:
        return int(staged.seen["count_rows"])


def test_a_small_compressed_file_that_unpacks_to_very_much_is_refused_and_the_same_file_unpacked_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MOST_UNPACKED", 1 << 20)
    text = f"{HEADER}\n".encode() + b"2026-01-05,MILK-1L,1.00,1\n" * 100_000
    packed, plain = tmp_path / "a.csv.gz", tmp_path / "a.csv"
    packed.write_bytes(gzip.compress(text))
    plain.write_bytes(text)
    assert len(text) > 100 * packed.stat().st_size
    said = r"a\.csv\.gz: expected a compressed file of [\d,]+ bytes to unpack to at most 100 times its size, .*gunzip"
    with pytest.raises(DataError, match=said):
        rows_in(packed)
    assert rows_in(plain) == 100_000


def test_an_honest_compressed_file_is_read_however_large_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_UNPACKED", 1 << 10)
    dice = random.Random(7)
    rows = [f"2026-01-{1 + row % 28:02d},P{dice.randrange(500)},{dice.random():.2f},1" for row in range(20_000)]
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress("\n".join([HEADER, *rows, ""]).encode()))
    assert rows_in(packed) == 20_000


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", wide_workbook(300, 12_000), r"expected a workbook of [\d,]+ bytes .* or 64 MB, found 13\d MB"),
        ("a.xlsx", wide_workbook(257, 2), "expected at most 256 columns, found 257"),
        ("a.csv", ",".join(f"c{at}" for at in range(1_001)).encode(), "expected at most 1,000 columns, found 1,001"),
    ],
)
def test_a_small_file_that_holds_very_much_is_refused_before_it_is_unpacked(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        open_export(tmp_path / name, Reading())


def test_parquet_of_a_few_bytes_that_holds_very_many_equal_rows_is_refused_by_what_it_says(tmp_path: Path) -> None:
    one = pa.table({"time": ["2026-01-05"], "sku": ["A"], "price": [1.0], "bought": [1]})
    rows = one.take(pa.array([0] * 2_000_000))
    with pq.ParquetWriter(tmp_path / "a.parquet", one.schema) as file:
        for _ in range(5):
            file.write_table(rows, row_group_size=2_000_000)
    with pytest.raises(DataError, match=r"expected Parquet of .* found 10,000,000 rows of 305 MB; nothing was read"):
        open_export(tmp_path / "a.parquet", Reading())
