"""The context of a store's day: what is known of a date before it is priced."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from catalog.load import CLASSIC, Catalog, load
from catalog.settings import Settings, read_settings
from etl.batches import batches_of, play_batch
from etl.transform import transform
from features.cells import feature_workbench
from features.context import context_of_days, seals_of_context, show_context
from flows.workspace import prepared
from plugins.connect.intake.announced import take_in
from serving.store.in_force import pricing_on
from training.schedule import inputs_of_night
from warehouse.workspace import Workspace

MONDAY = dt.date(2026, 1, 5)
EPIPHANY = dt.date(2026, 1, 6)  # a holiday in Austria
SHELF = load(CLASSIC)


def town(**changes: Any) -> Catalog:
    changed = {"country": "AT", "visits_per_day": 60.0, "stores": ("S01", "S02")} | changes
    return Catalog(SHELF.products, SHELF.store.model_copy(update=changed))


def opened(home: Path, catalog: Catalog) -> Workspace:
    return prepared(read_settings({"SHELFPRICE_HOME": str(home)}), catalog)


def announced(workspace: Workspace, text: str) -> None:
    file = workspace.settings.home / "announced.csv"
    file.write_text(text, encoding="utf-8")
    take_in(workspace.lake, workspace.catalog, file)


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two days of two stores, in Tokyo and at UTC, with an event and a temperature."""
    catalog = town(timezones={"S01": "Asia/Tokyo"}, pay_day=6)
    workspace = opened(tmp_path_factory.mktemp("context"), catalog)
    for batch in batches_of(catalog, [MONDAY, EPIPHANY], None):
        play_batch(workspace, batch, pricing_on(workspace.lake, catalog, batch.business_date), 7)
    transform(workspace)
    announced(workspace, "date,store,event,temperature\n2026-01-06,,match,3\n2026-01-06,S02,fair,5\n")
    return workspace


@pytest.fixture
def connection(sold: Workspace) -> Iterator[duckdb.DuckDBPyConnection]:
    with feature_workbench(sold.settings) as opened_one:
        show_context(opened_one, sold.catalog, MONDAY, EPIPHANY)
        yield opened_one


def on(settings: Settings, catalog: Catalog, *dates: dt.date) -> pd.DataFrame:
    """Return the context of some dates in the first store, by date."""
    with feature_workbench(settings) as connection:
        show_context(connection, catalog, min(dates), max(dates))
        asked = pd.DataFrame({"business_date": dates, "store_id": catalog.store.stores[0]})
        return context_of_days(connection, asked).set_index("business_date")


@pytest.mark.parametrize(
    ("pay_day", "date", "days"),
    [
        (31, dt.date(2026, 2, 28), 0),
        (31, dt.date(2026, 2, 27), 27),
        (31, dt.date(2026, 3, 30), 30),
        (15, dt.date(2026, 1, 14), 30),
        (15, dt.date(2026, 1, 15), 0),
        (30, dt.date(2028, 3, 1), 1),
    ],
)
def test_days_count_from_pay_day_and_a_short_month_pays_on_its_last(
    settings: Settings, pay_day: int, date: dt.date, days: int
) -> None:
    catalog = town(pay_day=pay_day)
    opened(settings.home, catalog)
    assert on(settings, catalog, date)["days_since_pay_day"].tolist() == [days]


def test_a_store_without_pay_day_or_country_knows_neither(settings: Settings) -> None:
    catalog = town(country=None)
    opened(settings.home, catalog)
    [row] = on(settings, catalog, EPIPHANY).to_dict("records")
    assert pd.isna(row["days_since_pay_day"])
    assert (row["is_holiday"], row["is_day_before_holiday"]) == (0, 0)


def test_a_holiday_and_the_day_before_are_told_apart(settings: Settings) -> None:
    catalog = town()
    opened(settings.home, catalog)
    found = on(settings, catalog, MONDAY, EPIPHANY, dt.date(2026, 12, 31))
    assert found["is_holiday"].tolist() == [0, 1, 0]
    assert found["is_day_before_holiday"].tolist() == [1, 0, 1]


def test_what_one_store_is_told_goes_before_what_all_are(connection: duckdb.DuckDBPyConnection) -> None:
    asked = pd.DataFrame({"business_date": [EPIPHANY, EPIPHANY, MONDAY], "store_id": ["S01", "S02", "S02"]})
    found = context_of_days(connection, asked).set_index(["business_date", "store_id"])
    monday, first, second = found.to_dict("records")
    assert (first["event_match"], first["event_fair"], first["temperature"]) == (1, 0, 3)
    assert (second["event_match"], second["event_fair"], second["temperature"]) == (1, 1, 5)
    assert monday["event_match"] == 0
    assert pd.isna(monday["temperature"])


def test_only_what_is_announced_for_some_dates_is_sealed_for_them(sold: Workspace) -> None:
    before = list(seals_of_context(sold.lake, MONDAY, EPIPHANY))
    assert list(seals_of_context(sold.lake, MONDAY, MONDAY)) == []
    announced(sold, "date,event\n2026-02-01,parade\n")
    assert list(seals_of_context(sold.lake, MONDAY, EPIPHANY)) == before
    assert len(before) == 2


def test_an_event_of_the_date_to_price_changes_what_its_night_is_decided_from(sold: Workspace) -> None:
    def night() -> str:
        return inputs_of_night(sold.lake, sold.catalog, EPIPHANY, 7)

    before = night()
    announced(sold, "date,event\n2026-06-01,parade\n")
    assert night() == before
    announced(sold, "date,event\n2026-01-07,parade\n")
    assert night() != before
