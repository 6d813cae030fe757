"""Files as people send them: read with the right line numbers, or refused with the line that is wrong."""

import csv
import gzip
import io
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import DataError
from etl.files.decode import records
from own_data.exports.columns import Reading
from own_data.exports.read import open_export
from own_data.exports.stage import StagedExport, stage_export

HEADER = "time,sku,price,bought"
ROW = "2026-01-05 10:00:00,MILK,1.50,1"
Stage = Callable[..., StagedExport]


@pytest.fixture
def stage(tmp_path: Path) -> "pytest.Generator[Stage]":
    """Stage a file, given as text or bytes, and keep it open until the test ends."""
    with ExitStack() as stack:

        def staged(content: str | bytes, name: str = "shop.csv", **reading: object) -> StagedExport:
            file = tmp_path / name
            file.write_bytes(content.encode() if isinstance(content, str) else content)
            export = open_export(file, Reading.model_validate(reading))
            return stack.enter_context(stage_export(export, tmp_path / "scratch", lambda _share: None))

        yield staged


def lines(staged: StagedExport) -> list[int]:
    return staged.rows.read_all()["line"].to_pylist()


def aside(staged: StagedExport) -> dict[int, str]:
    return dict(zip(staged.aside["line"].to_pylist(), staged.aside["reason"].to_pylist(), strict=True))


def test_the_prototypes_log_is_read_whole(stage: Stage) -> None:
    staged = stage((Path(__file__).parent / "exports" / "prototype_transactions.csv").read_bytes())
    assert lines(staged) == list(range(2, 327))
    assert staged.aside.num_rows == 0
    assert staged.products.words == ["Meat", "Cheese", "Milk", "Eggs", "Bread"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_byte_order_mark_semicolons_and_decimal_commas_are_read(stage: Stage, end: str) -> None:
    text = end.join(
        ["time;article;price;bought", "05.01.2026 10:00;Käse;1,50;ja", '05.01.2026 10:01;"Brot; frisch";2,10;1']
    )
    staged = stage(b"\xef\xbb\xbf" + text.encode())
    assert staged.rows.read_all()["price_offered"].to_pylist() == [2.1]
    assert staged.products.words == ["Käse", "Brot; frisch"]
    assert aside(staged) == {2: "purchased is neither 0 nor 1"}


def test_another_encoding_is_refused_with_its_line_and_read_when_it_is_said(stage: Stage) -> None:
    text = "\n".join([HEADER, ROW, ROW.replace("MILK", "Käse")]).encode("cp1252")
    with pytest.raises(DataError, match=r"shop.csv line 3: byte 0xe4 is not utf-8.*--encoding cp1252"):
        stage(text)
    assert stage(text, encoding="cp1252").products.words == ["MILK", "Käse"]
    with pytest.raises(DataError, match=r"line 1: .*looks like UTF-16; add --encoding utf-16"):
        stage("\n".join([HEADER, ROW]).encode("utf-16"))
    assert lines(stage("\n".join([HEADER, ROW]).encode("utf-16"), encoding="utf-16")) == [2]


def test_a_compressed_file_is_read_and_one_cut_short_is_refused(stage: Stage) -> None:
    compressed = gzip.compress("\n".join([HEADER, *[ROW] * 5_000]).encode())
    assert len(lines(stage(compressed, "shop.csv.gz"))) == 5_000
    with pytest.raises(DataError, match="compressed, and damaged or cut short"):
        stage(compressed[: len(compressed) // 2], "shop.csv.gz")


def test_a_line_without_end_is_refused_by_its_number_before_it_is_in_memory(stage: Stage) -> None:
    with pytest.raises(DataError, match="line 3: expected a record of at most 8 MB"):
        stage(f"{HEADER}\n{ROW}\n" + "x" * 20_000_000)


def test_a_quote_that_never_closes_is_refused_by_its_line(stage: Stage) -> None:
    with pytest.raises(DataError, match="line 4: a quote opens and never closes"):
        stage("\n".join([HEADER, ROW, ROW, '2026-01-05,"MILK,1.50,1', ROW, ROW]))


def test_values_that_hold_line_breaks_leave_the_line_numbers_right(stage: Stage) -> None:
    staged = stage("\n".join([HEADER, ROW, '2026-01-05,"Milk\nand\nhoney",2,0', ROW, "what,MILK,1,1"]))
    assert lines(staged) == [2, 3, 6]
    assert aside(staged) == {7: "the time cannot be read"}


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


def test_blank_lines_are_no_rows_and_a_record_of_another_length_is_a_bad_one(stage: Stage) -> None:
    staged = stage("\n".join([HEADER, "", ROW, "", "1,2", ROW + ",9", ROW, ""]))
    assert lines(staged) == [3, 7]
    assert aside(staged) == {5: "it has 2 fields, the header 4", 6: "it has 5 fields, the header 4"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the file is empty"),
        ("\n\n", "line 1: .*found no columns"),
        (HEADER.replace("sku", "time"), "line 1: the column 'time' appears twice"),
        ("just one word\n1\n", "expected a column for"),
        (
            f'{HEADER}\n2026-01-05,MILK,1.5,1\n2026-01-05,MILK,"1,5",1\n',
            "some numbers have a decimal comma, such as '1,5' in 'price', line 3",
        ),
    ],
)
def test_a_file_in_doubt_is_refused(stage: Stage, content: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        stage(content)


def test_a_header_alone_is_a_file_without_rows(stage: Stage) -> None:
    assert stage(HEADER).rows.read_all().num_rows == 0


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
        ("2026-01-05,MILK,cheap,1", "price_offered cannot be read as a number with a decimal point"),
        ("2026-01-05,MILK,1.5,2", "purchased is neither 0 nor 1"),
    ],
)
def test_a_row_that_cannot_be_read_is_kept_aside_as_it_came(stage: Stage, row: str, reason: str) -> None:
    staged = stage("\n".join([HEADER, ROW, row]))
    assert aside(staged) == {3: reason}
    assert "MILK" in staged.aside["text"][0].as_py() or " " in row
    assert lines(staged) == [2]


@pytest.mark.parametrize("time", ["9999-12-31 23:59:59", "9999-12-31T23:59:59-05:00", "2101-01-01"])
@pytest.mark.parametrize("grain", [HEADER, "receipt,time,sku,price,units"])
def test_a_time_that_a_zone_moves_out_of_all_calendars_sets_its_row_aside(stage: Stage, time: str, grain: str) -> None:
    number = "1," if grain != HEADER else ""
    staged = stage(f"{grain}\n{number}{ROW}\n{number}{time},MILK,1.5,1\n", time_zone="America/New_York")
    assert (lines(staged), aside(staged)) == ([2], {3: "the time is in the future"})
    assert len(staged.spans) == 1


@pytest.mark.parametrize(
    ("zone", "moment", "reason"),
    [
        ("America/New_York", 253_402_318_800_000_000, "the time cannot be read"),
        ("Asia/Tokyo", 253_402_300_799_000_000, "the time is in the future"),
    ],
)
def test_a_time_of_parquet_that_python_cannot_hold_sets_its_row_aside(
    stage: Stage, zone: str, moment: int, reason: str
) -> None:
    times, sink = pa.array([1_767_600_000_000_000, moment], pa.timestamp("us", tz=zone)), io.BytesIO()
    pq.write_table(pa.table({"time": times, "sku": ["MILK"] * 2, "price": [1.5] * 2, "bought": [1] * 2}), sink)
    assert aside(stage(sink.getvalue(), "visits.parquet")) == {2: reason}


def test_parquet_is_read_by_its_types_and_its_rows_are_numbered(stage: Stage) -> None:
    table = pa.table(
        {
            "visited_at": pa.array(["2026-01-05T10:00", "2026-01-05T11:00", None]).cast(pa.timestamp("ms")),
            "sku": pa.array([17, 18, 18]),
            "shelf_price": pa.array([1.5, 2.5, 3.5], pa.float32()),
            "bought": pa.array([True, False, True]),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    staged = stage(sink.getvalue(), "visits.parquet")
    assert (lines(staged), staged.products.words) == ([1, 2], ["17", "18"])
    assert aside(staged) == {3: "a required value is missing"}
    epochs = io.BytesIO()
    pq.write_table(table.set_column(0, "visited_at", pa.array([1_767_600_000] * 3)), epochs)
    with pytest.raises(
        DataError, match="times or text in the column 'visited_at', taken for seen_at, found the type int64"
    ):
        stage(epochs.getvalue(), "visits.parquet")
    for broken in (sink.getvalue()[:100], b"PAR1", b"no parquet at all"):
        with pytest.raises(DataError, match="cannot be read as Parquet"):
            stage(broken, "visits.parquet")


def test_what_a_kill_left_behind_is_cleared_and_nothing_is_left_in_the_end(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "rows.arrow").write_bytes(b"half of it")
    file = tmp_path / "shop.csv"
    file.write_text(f"{HEADER}\n{ROW}\n", encoding="utf-8")
    with stage_export(open_export(file, Reading()), tmp_path / "scratch", lambda _share: None) as staged:
        assert staged.rows.read_all().num_rows == 1
    assert not (tmp_path / "scratch").exists()


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    assert sorted(lines(staged) + list(aside(staged))) == begins
