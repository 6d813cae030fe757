"""Text becomes what it says, by the rules that were declared, or nothing."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import DataError
from etl.files.decimals import NumberFormat
from own_data.exports.columns import Reading
from own_data.exports.parse import flags, moments, numbers, shopper_numbers


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("1.5", ".", 1.5),
        (" 1.5 ", ".", 1.5),
        ("1,234.50", ".", 1234.5),
        ("1,5", ".", None),
        ("1,5", ",", 1.5),
        ("1.234,50", ",", 1234.5),
        ("1.234", ",", 1234.0),
        ("1.50", ",", None),
        ("12", ",", 12.0),
        ("EUR 2", ".", None),
        ("0x10", ".", None),
        ("1_000", ".", None),
        ("1.2.3", ".", None),
        ("", ".", None),
    ],
)
def test_a_number_is_read_by_its_decimal_sign_or_not_at_all(text: str, decimal: str, value: float | None) -> None:
    assert numbers(pa.array([text, "7"]), decimal).to_pylist() == [value, 7.0]


def sign_of(*columns: list[str | None]) -> str:
    named = {f"column {number}": pa.array(column, pa.string()) for number, column in enumerate(columns, start=1)}
    lines = np.arange(2, 2 + max(len(column) for column in columns))
    return NumberFormat(None).sign_in(named, lines, "shop.csv")


@pytest.mark.parametrize(
    ("columns", "sign"),
    [
        ([["1,50", "2"]], ","),
        ([["1.50", "2"]], "."),
        ([["3", None]], "."),
        ([["1,990", "12,5"]], ","),
        ([["1,990"], ["12.5"]], "."),
        ([["0,990"]], ","),
        ([["1234,567"]], ","),
        ([["1,234.50"]], "."),
        ([["1.234.567"]], ","),
        ([["1,234,567"]], "."),
        ([["1.234,5"]], ","),
        ([["1.5e-3"]], "."),
        ([["2 pieces, 1 bag"]], "."),
    ],
)
def test_the_decimal_sign_is_what_the_values_prove(columns: list[list[str | None]], sign: str) -> None:
    assert sign_of(*columns) == sign


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ([["2", "1,990"]], "line 3: '1,990' in 'column 1' may be a number with decimals or with thousands"),
        ([["1.990"], ["7"]], r"line 2: '1\.990' in 'column 1' may be .* --decimal"),
        ([["1,50"], ["2", "1.50"]], r"comma, such as '1,50' in 'column 1', line 2, .* '1\.50' in 'column 2', line 3"),
    ],
)
def test_numbers_that_prove_nothing_or_too_much_are_refused_with_their_lines(
    columns: list[list[str | None]], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        sign_of(*columns)


def test_whole_numbers_decide_nothing_about_the_blocks_that_follow() -> None:
    written, lines = NumberFormat(None), np.array([2])
    assert written.sign_in({"price": pa.array(["3"])}, lines, "shop.csv") == "."
    with pytest.raises(DataError, match="may be a number with decimals or with thousands"):
        written.sign_in({"price": pa.array(["1,990"])}, lines, "shop.csv")
    assert written.sign_in({"price": pa.array(["12,5"])}, lines, "shop.csv") == ","
    assert written.sign_in({"price": pa.array(["1.990"])}, lines, "shop.csv") == ","


def test_zero_and_one_come_in_many_words_and_nothing_else_counts() -> None:
    words = pa.array(["1", "0", "TRUE", "no", "yes ", "1.0", "2", "maybe", None])
    assert flags(words).to_pylist() == [1, 0, 1, 0, 1, 1, None, None, None]
    assert flags(pa.array([True, False, None])).to_pylist() == [1, 0, None]
    assert flags(pa.array([1, 0, 3])).to_pylist() == [1, 0, None]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1)),  # noqa: DTZ001 - naive on purpose
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(["plain", "offset", "zulu", "dotted"]),
)
def test_a_time_in_any_usual_form_is_the_moment_it_says(times: list[dt.datetime], form: str) -> None:
    times = [time.replace(microsecond=0) for time in times]
    written = {
        "plain": [time.isoformat(" ") for time in times],
        "offset": [f"{time.isoformat()}+00:00" for time in times],
        "zulu": [f"{time.isoformat()}Z" for time in times],
        "dotted": [time.strftime("%d.%m.%Y %H:%M:%S") for time in times],
    }[form]
    read, doubtful = moments(pa.array(written), Reading())
    assert read.to_pylist() == [time.replace(tzinfo=dt.UTC) for time in times]
    assert not doubtful.any()


def test_offsets_and_local_times_may_stand_side_by_side() -> None:
    written = pa.array(["2026-07-01T12:00:00+02:00", "2026-07-01 12:00:00", "nonsense", None, "01/02/2026 10:00"])
    read, _ = moments(written, Reading(time_zone="Europe/Berlin"))
    ten = dt.datetime(2026, 7, 1, 10, tzinfo=dt.UTC)
    assert read.to_pylist() == [ten, ten, None, None, None]


def test_an_hour_that_a_change_of_clocks_leaves_in_doubt_is_flagged() -> None:
    written = pa.array(
        ["2025-10-26 02:30:00", "2025-03-30 02:30:00", "2025-10-26 03:30:00", "2025-10-26T02:30:00+02:00"]
    )
    read, doubtful = moments(written, Reading(time_zone="Europe/Berlin"))
    assert doubtful.tolist() == [True, True, False, False]
    assert read[2].as_py() == dt.datetime(2025, 10, 26, 2, 30, tzinfo=dt.UTC)


def test_a_declared_form_is_the_only_one_that_is_read() -> None:
    reading = Reading(time_format="%m/%d/%Y %H:%M", time_zone="America/New_York")
    read, _ = moments(pa.array(["02/01/2026 10:00", "2026-02-01 10:00"]), reading)
    assert read.to_pylist() == [dt.datetime(2026, 2, 1, 15, tzinfo=dt.UTC), None]
    read, _ = moments(pa.array(["02/01/2026 10:00 +0100"]), Reading(time_format="%m/%d/%Y %H:%M %z"))
    assert read.to_pylist() == [dt.datetime(2026, 2, 1, 9, tzinfo=dt.UTC)]


def test_moments_of_parquet_are_in_their_zone_and_finer_than_a_microsecond_is_cut_off() -> None:
    fine = pa.array([1_767_607_200_000_000_001], pa.timestamp("ns"))
    ten = dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC)
    assert moments(fine, Reading())[0].to_pylist() == [ten]
    assert moments(fine, Reading(time_zone="Europe/Berlin"))[0].to_pylist() == [ten - dt.timedelta(hours=1)]
    assert moments(fine.cast(pa.timestamp("ns", tz="Asia/Tokyo")), Reading())[0].to_pylist() == [ten]
    assert moments(pa.array([dt.date(2026, 1, 5)]), Reading())[0].to_pylist() == [ten.replace(hour=0)]


def test_a_shopper_keeps_a_number_and_a_name_is_the_same_number_in_every_file() -> None:
    assert shopper_numbers(pa.array(["17", "4"])).to_pylist() == [17, 4]
    mixed = shopper_numbers(pa.array(["17", "anna", None, "-3", "99999999999"])).to_pylist()
    assert mixed[0] == 17
    assert mixed[1] == shopper_numbers(pa.array(["anna"])).to_pylist()[0]
    assert mixed[2] is None
    assert all(number is None or 0 <= number < 2**31 for number in mixed)


ODD_TIMES = [
    "2026-02-30",
    "2026-13-01",
    "20x6-01-01",
    "31.12.2026 18:30",
    "2026-01-01T10:00:00+01:00",
    "2026-01-01 10",
    "",
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dates(dt.date(1990, 1, 1), dt.date(2040, 1, 1)).map(str) | st.sampled_from(ODD_TIMES), min_size=1))
def test_a_time_is_read_alike_alone_and_among_others_that_cannot_be_read(texts: list[str]) -> None:
    alone = [moments(pa.array([text]), Reading())[0][0].as_py() for text in texts]
    assert moments(pa.array(texts), Reading())[0].to_pylist() == alone
