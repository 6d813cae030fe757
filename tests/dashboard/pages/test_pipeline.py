import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from catalog.tables.contracts import TABLES
from dashboard.data.pipeline import table_states
from dashboard.figures import pipeline as figures
from dashboard.monitor import Monitor
from dashboard.pages import pipeline as page
from dashboard.pages import pipeline_cards as cards
from dashboard.prefect.runs import Run
from warehouse.lake import Lake, Partition
from warehouse.receipts import final_path

NOW = dt.datetime(2026, 1, 20, 12, tzinfo=dt.UTC)
DAY = dt.date(2026, 1, 12)
HOSTILE = "<script>alert(1)</script>'); drop table x; --"


@pytest.fixture
def with_rejected(lake: Lake) -> Lake:
    rows = [
        {"source": "till.csv", "row_number": n, "reason": "price is negative", "row_text": HOSTILE} for n in range(1, 4)
    ]
    table = pa.Table.from_pylist(rows, schema=TABLES["rejected"].schema)
    lake.publish(Partition("rejected", DAY, "till"), table, inputs="till")
    return lake


def test_tables_are_counted_from_receipts_without_opening_a_file(with_rejected: Lake, monitor: Monitor) -> None:
    part = with_rejected.path(Partition("rejected", DAY, "till"))
    size = part.stat().st_size
    part.write_bytes(b"x" * size)  # no reader of Parquet could count this
    states = {state.name: state for state in table_states(monitor.settings)}
    rejected = states["rejected"]
    assert (rejected.rows, rejected.partitions, rejected.bytes, rejected.unproven) == (3, 1, size, 0)
    assert rejected.newest_date == DAY
    assert rejected.published_at is not None
    assert states["interactions"].rows == 0
    assert states["interactions"].published_at is None


@pytest.mark.parametrize("damage", ["no receipt", "not a receipt", "another size"])
def test_a_part_that_nothing_proves_is_marked_and_not_counted(
    with_rejected: Lake, monitor: Monitor, words: Callable[[Any], str], damage: str
) -> None:
    part = with_rejected.path(Partition("rejected", DAY, "till"))
    if damage == "no receipt":
        final_path(part).unlink()
    elif damage == "not a receipt":
        final_path(part).write_text("{}", encoding="utf-8")
    else:
        part.write_bytes(b"short")
    states = table_states(monitor.settings)
    rejected = next(state for state in states if state.name == "rejected")
    assert (rejected.rows, rejected.unproven) == (0, 1)
    assert "1 without receipt" in words(cards.table_list(states, NOW))


def test_the_page_shows_rejected_rows_literally_with_their_reason(
    with_rejected: Lake, monitor: Monitor, words: Callable[[Any], str]
) -> None:
    drawn = page.content(monitor, table_states(monitor.settings), "light")
    assert HOSTILE in str(drawn)
    figure = figures.rejected(monitor.reader.ask("rejected_by_reason", ("rejected",)), "light")
    assert list(figure.data[0].y) == ["price is negative"]
    assert list(figure.data[0].x) == [3]
    said = words(cards.summary(table_states(monitor.settings), 10**9, NOW))
    assert "100.00 % of all rows read" in said


def test_a_failed_run_says_why_when_and_what_to_do(words: Callable[[Any], str]) -> None:
    started = NOW - dt.timedelta(hours=2)
    link = "http://x/runs/flow-run/1"
    run = Run("nightly-1", "nightly", "Crashed", "failed", started, 5.0, link, "the disk is full")
    said = words(cards.run_list([run], NOW))
    assert "nightly crashed 2 hours ago" in said
    assert f"{started:%H:%M} UTC: the disk is full" in said
    assert "shelfprice nightly" in said


def test_a_table_that_lags_behind_what_was_sold_is_named_and_an_empty_lake_lags_nowhere(
    lake: Lake, monitor: Monitor, words: Callable[[Any], str]
) -> None:
    assert "Nothing in the lake is late" in words(cards.troubles(table_states(monitor.settings), []))
    for table, date in (("interactions", DAY), ("demand_cells", DAY - dt.timedelta(days=1)), ("booked_prices", DAY)):
        lake.publish(Partition(table, date, "a"), TABLES[table].schema.empty_table(), inputs="x", seed=7)
    said = words(cards.troubles(table_states(monitor.settings), []))
    assert said == "Late or failed demand_cells ends on Sun 11 Jan 2026, and days are sold through Mon 12 Jan 2026."


def test_sales_at_prices_that_were_not_ours_are_listed_by_reason(lake: Lake, monitor: Monitor) -> None:
    assert "not ours" not in str(page.content(monitor, (), "light"))
    span = {"store_id": "S01", "sku": "MILK", "charged_price": 1.2, "units": 3.0, "is_acknowledged": False}
    span |= {"starts_at": NOW, "ends_at": NOW}
    rows = [span | {"not_ours": reason, "charged_price": price} for reason, price in (("offer", 1.2), (HOSTILE, 1.3))]
    schema = TABLES["exposures"].schema
    lake.publish(Partition("exposures", DAY, "intake"), pa.Table.from_pylist(rows, schema), inputs="till")
    found = str(cards.not_ours(monitor.reader.ask("not_ours", ("exposures",))))
    assert "Sold at prices that were not ours" in found
    assert "offer" in found
    assert "12 Jan 2026" in found
