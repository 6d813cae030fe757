"""Our prices beside those of rivals, by what was known of them on each date."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from warehouse.lake import Lake, Partition
from warehouse.query.connection import workbench_with_marts

SEEN = dt.datetime(2026, 1, 1, 8, tzinfo=dt.UTC)


@pytest.fixture
def lake(settings: Settings, fill_lake: Callable[[Settings], Lake]) -> Lake:
    """A lake of one day that was sold."""
    return fill_lake(settings)


@pytest.fixture
def sold_on(lake: Lake) -> dt.date:
    """The day that was sold."""
    [date] = lake.dates("repricings")
    return date


@pytest.fixture
def marts(settings: Settings, lake: Lake, sold_on: dt.date) -> Iterator[duckdb.DuckDBPyConnection]:
    """Two rivals before that day: one is fresh, with an older price told late; the other one is stale on it."""
    day = dt.timedelta(days=1)
    tell(lake, sold_on - 2 * day, price("Corner", 1.0, -1, sold_on), price("Square", 2.0, -3, sold_on - day))
    tell(lake, sold_on - day, price("Corner", 9.0, -2, sold_on))
    tell(lake, sold_on + day, price("Corner", 5.0, 0, sold_on + 9 * day))
    with workbench_with_marts(settings) as connection:
        yield connection


def price(rival: str, eur: float, hours: int, fresh_until: dt.date) -> dict[str, Any]:
    own = {"rival": rival, "sku": "MILK", "ean": None, "price_eur": eur, "unit": "pack", "comparable_price_eur": eur}
    moment = SEEN + dt.timedelta(hours=hours)
    own |= {"seen_at": moment, "fresh_until": fresh_until, "source": None, "taken_at": moment, "taken_from": "scout"}
    return own


def tell(lake: Lake, date: dt.date, *prices: dict[str, Any]) -> None:
    rows = pa.Table.from_pylist(list(prices), schema=TABLES["competitor_prices"].schema)
    lake.publish(Partition("competitor_prices", date, "intake"), rows, inputs=str(prices))


def test_each_date_is_compared_with_what_was_known_then_and_stale_prices_have_no_index(
    marts: duckdb.DuckDBPyConnection, sold_on: dt.date
) -> None:
    ours = marts.execute("select avg(opening_price_eur) from daily_prices where sku = 'MILK'").fetchall()[0][0]
    asked = "select business_date, category, sku, rival, our_price_eur, rival_price_eur, price_index, is_stale"
    found = marts.execute(f"{asked} from price_index order by rival").fetchall()
    assert found == [
        (sold_on, "dairy", "MILK", "Corner", ours, 1.0, ours, False),
        (sold_on, "dairy", "MILK", "Square", ours, 2.0, None, True),
    ]


def test_the_newest_price_of_each_rival_has_its_age_and_whether_it_is_stale(
    marts: duckdb.DuckDBPyConnection, sold_on: dt.date
) -> None:
    known_on = sold_on + dt.timedelta(days=1)
    age = (known_on - SEEN.date()).days
    asked = "select rival, price_eur, counts_from, known_on, age_days, is_stale from newest_rival_prices order by rival"
    assert marts.execute(asked).fetchall() == [
        ("Corner", 5.0, known_on, known_on, age, False),
        ("Square", 2.0, sold_on - dt.timedelta(days=2), known_on, age, True),
    ]
