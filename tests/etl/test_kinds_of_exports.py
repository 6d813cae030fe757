"""Workbooks, old line ends, files without a header and the types of Parquet: read as what they say."""

import datetime as dt
import gzip
import io
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workbooks import Cell, Formula, workbook

from catalog.errors import DataError
from catalog.settings import Settings
from etl.files import decode
from etl.files.decode import decoded_chunks
from own_data.exports.columns import Reading
from own_data.exports.read import open_export
from own_data.exports.stage import StagedExport, stage_export
from own_data.exports.standard_input import spooled

HEADER = "time,sku,price,bought"
TEN = dt.datetime(2026, 1, 5, 10)  # noqa: DTZ001 - a workbook knows no zone
TEN_US = 1_767_607_200_000_000
Stage = Callable[..., StagedExport]


@pytest.fixture
def stage(tmp_path: Path) -> "pytest.Generator[Stage]":
    """Stage a file, given as bytes, and keep it open until the test ends."""
    with ExitStack() as stack:

        def staged(content: bytes, name: str = "shop.csv", **reading: object) -> StagedExport:
            file = tmp_path / name
            file.write_bytes(content)
            export = open_export(file, Reading.model_validate(reading))
            return stack.enter_context(stage_export(export, tmp_path / "scratch", lambda _share: None))

        yield staged


def sheet(*rows: list[Cell], names: str = HEADER) -> bytes:
    return workbook({"Sales": [list(names.split(",")), *rows]})


def aside(staged: StagedExport) -> dict[int, str]:
    return dict(zip(staged.aside["line"].to_pylist(), staged.aside["reason"].to_pylist(), strict=True))


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_lines_may_end_as_on_any_system_and_keep_their_numbers(stage: Stage, end: str) -> None:
    rows = [HEADER, "2026-01-05,A,1.5,1", "", '2026-01-05,"B\nb",1.5,1', "never,A,1.5,1", "2026-01-05,C,1.5,1"]
    staged = stage(end.join(rows).encode())
    assert staged.rows.read_all()["line"].to_pylist() == [2, 4, 7]
    assert aside(staged) == {6: "the time cannot be read"}
    assert staged.products.words[0] == "A"


@pytest.mark.parametrize("size", range(1, 9))
def test_a_line_end_cut_between_two_reads_is_one_line_end(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(decode, "_CHUNK", size)
    text = b"".join(decoded_chunks(io.BytesIO(b"a\r\nb\rc\nd\r\r\ne\r"), "utf-8", "file"))
    assert text.replace(b"\r\n", b"\n") == b"a\nb\nc\nd\n\ne\n"


def test_a_name_may_hold_a_line_break_and_the_rows_below_keep_their_lines(stage: Stage) -> None:
    staged = stage(b'"time\nof sale",sku,price,bought\n2026-01-05,A,1.5,1\n', columns={"seen_at": "time\nof sale"})
    assert staged.rows.read_all()["line"].to_pylist() == [3]
    assert stage(b'time,sku,price,bought,5"\n2026-01-05,A,1.5,1,x\n').rows.read_all()["line"].to_pylist() == [2]


def test_a_file_without_a_header_is_read_by_the_names_that_are_said(stage: Stage) -> None:
    staged = stage(b"2026-01-05,A,1.5,1\n2026-01-05,B,1.5,0\n", header=HEADER.split(","))
    assert (staged.rows.read_all()["line"].to_pylist(), staged.products.words) == ([1, 2], ["A", "B"])
    book = workbook({"Sales": [[], [TEN, "A", 1.5, 1]]})
    assert stage(book, "shop.xlsx", header=HEADER.split(",")).rows.read_all()["line"].to_pylist() == [2]


def test_a_workbook_is_read_by_the_types_of_its_cells_and_the_numbers_of_its_rows(stage: Stage) -> None:
    staged = stage(
        workbook(
            {
                "Sales": [
                    [],
                    ["time", "sku", "price", "bought", None, "Note"],
                    [TEN, 4_001_234_567_890, 1.1, True],
                    [],
                    [TEN, 17, 0.1 + 0.2, 0, None, "x"],
                    [dt.date(2026, 1, 5), "17", 2, 1],
                ]
            }
        ),
        "shop.xlsx",
    )
    assert staged.rows.read_all()["line"].to_pylist() == [3, 5, 6]
    assert staged.products.words == ["4001234567890", "17"]
    assert staged.rows.read_all()["product"].to_pylist() == [0, 1, 1]
    assert staged.rows.read_all()["price_offered"].to_pylist() == [1.1, 0.1 + 0.2, 2.0]
    assert staged.rows.read_all()["purchased"].to_pylist() == [True, False, True]
    assert staged.rows.read_all()["seen_at"].to_pylist() == [TEN_US, TEN_US, TEN_US - 10 * 3_600_000_000]


def test_numbers_that_name_products_and_stores_are_written_in_full(stage: Stage) -> None:
    book = sheet([TEN, 4_001_234_567_890, 1.5, 1, 17], [TEN, 17, 1.5, 1, 17], names=f"{HEADER},store")
    staged = stage(book, "shop.xlsx")
    assert (staged.products.words, staged.stores.words) == (["4001234567890", "17"], ["17"])


def test_cells_of_several_types_in_a_column_are_read_as_their_text(stage: Stage) -> None:
    staged = stage(
        sheet(
            [TEN, "A", 1.5, 1],
            ["05.01.2026 10:00", "A", "1,5", "yes"],
            [TEN, "A", dt.date(2026, 5, 1), 1],
            [46027, "A", 1.5, 1],
            [TEN, "NULL", 1.5, 1],
            [TEN, "A", 2, "no"],
        ),
        "shop.xlsx",
        decimal=".",
    )
    assert staged.rows.read_all()["line"].to_pylist() == [2, 7]
    unread = "price_offered cannot be read as a number with a decimal point"
    assert aside(staged) == {3: unread, 4: unread, 5: "the time cannot be read", 6: "a required value is missing"}


def test_times_of_a_workbook_are_in_the_zone_that_is_said(stage: Stage) -> None:
    staged = stage(sheet([TEN, "A", 1.5, 1]), "shop.xlsx", time_zone="Europe/Berlin")
    assert staged.rows.read_all()["seen_at"].to_pylist() == [TEN_US - 3_600_000_000]


def test_the_first_visible_sheet_is_read_or_the_one_that_is_named(stage: Stage, tmp_path: Path) -> None:
    names: list[Cell] = list(HEADER.split(","))
    book = workbook(
        {"Old": [names], "New": [names, [TEN, "A", 1.5, 1]], "Test": [names, [TEN, "T", 1.5, 1]]}, frozenset({"Old"})
    )
    assert stage(book, "shop.xlsx").products.words == ["A"]
    assert stage(book, "shop.xlsx", sheet="Test").products.words == ["T"]
    found = open_export(tmp_path / "shop.xlsx", Reading()).sheet
    assert found is not None
    assert (found.name, found.others) == ("New", 1)


def test_a_large_sheet_comes_in_blocks_and_no_row_is_lost(stage: Stage) -> None:
    n_rows = 70_000
    staged = stage(sheet(*([TEN, f"P{row % 7}", 1.5, row % 2] for row in range(n_rows))), "shop.xlsx")
    assert staged.rows.read_all()["line"].to_pylist() == list(range(2, n_rows + 2))


PARQUET: dict[str, tuple[str, pa.Array, object]] = {
    "seconds": ("seen_at", pa.array([TEN_US // 1_000_000], pa.timestamp("s")), TEN_US),
    "nanoseconds of a zone": ("seen_at", pa.array([TEN_US * 1_000], pa.timestamp("ns", tz="Asia/Tokyo")), TEN_US),
    "date32": ("seen_at", pa.array([dt.date(2026, 1, 5)]), TEN_US - 36_000_000_000),
    "date64": ("seen_at", pa.array([dt.date(2026, 1, 5)], pa.date64()), TEN_US - 36_000_000_000),
    "coded text": ("seen_at", pa.array(["2026-01-05 10:00"]).dictionary_encode(), TEN_US),
    "decimal": ("price_offered", pa.array([Decimal("1.50")]), 1.5),
    "decimal256": ("price_offered", pa.array([Decimal("1.50")], pa.decimal256(50, 2)), 1.5),
    "half a float": ("price_offered", pa.array([1.5], pa.float64()).cast(pa.float16()), 1.5),
    "text": ("price_offered", pa.array(["1.5"], pa.string_view()), 1.5),
}


@pytest.mark.parametrize("kind", PARQUET)
def test_parquet_is_read_by_every_type_that_fits(stage: Stage, kind: str) -> None:
    ours, column, value = PARQUET[kind]
    whole = {"seen_at": pa.array(["2026-01-05 10:00"]), "sku": ["A"], "price_offered": [1.5], "purchased": [1]}
    sink = io.BytesIO()
    pq.write_table(pa.table(whole | {ours: column}), sink)
    assert stage(sink.getvalue(), "shop.parquet").rows.read_all()[ours].to_pylist() == [value]


@pytest.mark.parametrize(
    ("skus", "words"),
    [
        (pa.array([17.0, float("nan"), 18.0]), ["17", "18"]),
        (pa.array([Decimal(17), None, Decimal(18)], pa.decimal128(38, 0)), ["17", "18"]),
        (pa.array([2**64 - 1, None, 18], pa.uint64()), ["18446744073709551615", "18"]),
        (pa.array([17, None, 18]).dictionary_encode(), ["17", "18"]),
    ],
)
def test_a_product_number_is_the_same_name_whatever_its_type(stage: Stage, skus: pa.Array, words: list[str]) -> None:
    sink = io.BytesIO()
    table = {"time": ["2026-01-05"] * 3, "sku": skus, "price": [1.5] * 3, "bought": [1] * 3, "customer": skus}
    pq.write_table(pa.table(table), sink)
    staged = stage(sink.getvalue(), "shop.parquet")
    assert staged.products.words == words
    assert aside(staged) == {2: "a required value is missing"}


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_a_time_beyond_the_calendar_is_one_bad_row(stage: Stage, unit: str) -> None:
    for odd in (2**62 // 1_000_000, -(2**62) // 1_000_000) if unit == "s" else (2**62, -(2**62)):
        times = pa.array([odd, TEN_US // 10 ** {"s": 6, "ms": 3, "us": 0}[unit]], pa.timestamp(unit, tz="Asia/Tokyo"))
        sink = io.BytesIO()
        pq.write_table(pa.table({"time": times, "sku": ["A"] * 2, "price": [1.5] * 2, "bought": [1] * 2}), sink)
        staged = stage(sink.getvalue(), "shop.parquet", time_zone="Europe/Berlin")
        assert (staged.rows.read_all()["line"].to_pylist(), staged.rows.read_all()["seen_at"].to_pylist()) == (
            [2],
            [TEN_US],
        )
        assert list(aside(staged)) == [1]


def test_standard_input_is_a_file_while_it_is_read_and_nothing_afterwards(tmp_path: Path) -> None:
    settings = Settings(SHELFPRICE_HOME=tmp_path)
    settings.incoming.mkdir()
    (settings.incoming / "left by a kill").write_bytes(b"half of it")
    compressed = gzip.compress(f"{HEADER}\n2026-01-05,A,1.5,1\n".encode())
    with spooled(io.BytesIO(compressed), settings.incoming, settings.locks) as file:
        assert [path.name for path in settings.incoming.iterdir()] == ["standard input"]
        export = open_export(file, Reading())
        assert sum(block.rows.num_rows for block in export.blocks()) == 1
        assert export.where == "standard input"
        file.write_bytes(b"just words\n")
        with pytest.raises(DataError, match=r"^standard input line 1: expected a column for seen_at"):
            open_export(file, Reading())
    assert not settings.incoming.exists()


def test_standard_input_that_would_fill_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("own_data.exports.standard_input._KEPT_FREE", 1 << 60)
    settings = Settings(SHELFPRICE_HOME=tmp_path)
    with (
        pytest.raises(DataError, match=r"more than the free space of .* allows came in"),
        spooled(io.BytesIO(b"x"), settings.incoming, settings.locks),
    ):
        pass
    assert not settings.incoming.exists()


@pytest.mark.parametrize("value", ["", "<v/>", "<v></v>"])
def test_a_workbook_of_formulas_without_values_is_refused_with_what_computes_them(stage: Stage, value: str) -> None:
    rows: list[list[Cell]] = [[TEN, "A", Formula("B2*2", value), 1], [TEN, "A", Formula("B3*2", value), 1]]
    said = r"'price': expected values, found formulas without values: C2, and 2 such cells .*save it there.*as CSV"
    with pytest.raises(DataError, match=said):
        stage(sheet(*rows), "shop.xlsx")
    with pytest.raises(DataError, match="expected values, found formulas without values: A1, and 2 such cells"):
        stage(workbook({"Sales": [[Formula("A1", value)], [Formula("A1", value)]]}), "shop.xlsx")


def test_formulas_that_were_computed_or_that_nobody_uses_are_read(stage: Stage) -> None:
    rows: list[list[Cell]] = [[TEN, "A", Formula("B2*2", "<v>1.5</v>"), 1, Formula("A1")]]
    staged = stage(sheet(*rows, names=f"{HEADER},total"), "shop.xlsx")
    assert staged.rows.read_all()["price_offered"].to_pylist() == [1.5]
