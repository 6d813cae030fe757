"""Days that are sold in another time zone: the same decisions as in UTC at other moments, in a lake that is whole."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
from price_shop import DATE, SEED, SHORT_DAY, Shop, open_in_the_morning

from catalog.load import load
from etl.batches import Batch, play_batch
from etl.transform import transform
from plugins.operations.checks.proving import verify
from plugins.operations.replay.day import replay
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.ingest import ingest
from serving.store.in_force import pricing_on
from warehouse.lake import Lake, Partition
from warehouse.query.connection import workbench_with_marts

pytestmark = pytest.mark.play

WINTER_TIME = dt.date(2026, 11, 1)  # in New York clocks go back in this night
NOW = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
MOMENTS = {"interactions": "seen_at", "repricings": "decided_at"}


def shop_in(folder: Path, zone: str, of_second: str | None = None) -> Shop:
    other = f"timezones: {{S02: {of_second}}}\n" if of_second else ""
    return Shop(folder, more=f"timezone: {zone}\n{other}", changed=open_in_the_morning)


def played(shop: Shop, date: dt.date) -> dict[str, pa.Table]:
    batch = Batch(date, "g000", ("S01", "S02"))
    play_batch(shop.workspace, batch, pricing_on(shop.lake, shop.catalog, date), SEED)
    return {name: shop.lake.read(Partition(name, date, "g000")) for name in MOMENTS}


def without_moments(tables: dict[str, pa.Table]) -> list[pa.Table]:
    return [table.drop_columns([MOMENTS[name]]) for name, table in tables.items()]


@pytest.fixture(scope="module")
def at_home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    return played(shop_in(tmp_path_factory.mktemp("utc"), "UTC"), WINTER_TIME)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "Europe/Berlin"])
def test_a_day_in_another_zone_has_the_decisions_of_utc_and_a_whole_lake(
    tmp_path: Path, at_home: dict[str, pa.Table], zone: str
) -> None:
    shop = shop_in(tmp_path, zone)
    there = played(shop, WINTER_TIME)
    assert without_moments(there) == without_moments(at_home)
    offset = shop.catalog.store.clock_of("S01").opening_of(WINTER_TIME) - dt.datetime(2026, 11, 1, 8, tzinfo=dt.UTC)
    for name, moment in MOMENTS.items():
        moved = {a - b for a, b in zip(there[name][moment].to_pylist(), at_home[name][moment].to_pylist(), strict=True)}
        assert moved == {offset}
    transform(shop.workspace)
    assert verify(shop.lake).findings == ()
    assert {part.is_same for part in replay(shop.settings, WINTER_TIME)} <= {True, None}


def test_a_live_day_in_another_zone_ends_with_the_rows_of_utc(tmp_path: Path) -> None:
    sold = []
    for zone in ("Asia/Tokyo", "UTC"):
        shop = shop_in(tmp_path / zone.replace("/", "-"), zone)
        shop.publish()
        player = shop.sell(5)
        player = shop.sell(SHORT_DAY, shop.player())  # goes on after an interruption
        player.close()
        transform(shop.workspace)
        assert verify(shop.lake).findings == ()
        sold.append({name: shop.lake.read(Partition(name, DATE, "live-S01")) for name in MOMENTS})
    assert without_moments(sold[0]) == without_moments(sold[1])
    assert sold[0]["interactions"]["seen_at"].to_pylist()[0].date() == DATE - dt.timedelta(days=1)


def test_two_zones_sell_one_business_date_and_hours_are_those_on_the_wall(tmp_path: Path) -> None:
    shop = shop_in(tmp_path, "Europe/Berlin", "Asia/Tokyo")
    played(shop, WINTER_TIME)
    with workbench_with_marts(shop.settings) as connection:
        found = connection.execute(
            "select store_id, min(hour_utc), max(hour_utc), min(hour_local), max(hour_local) from hourly_sales "
            "group by store_id order by store_id"
        ).fetchall()
    assert found == [("S01", 7, 9, 8, 10), ("S02", 0, 23, 8, 10)]
    assert verify(shop.lake).findings == ()


def test_times_of_a_log_are_local_times_of_each_store(tmp_path: Path) -> None:
    shop = shop_in(tmp_path, "Europe/Berlin", "Asia/Tokyo")
    file = tmp_path / "visits.csv"
    rows = [
        "2026-07-01 08:05:00,S01,MILK,1.29,1",
        "2026-07-01 08:05:00,S02,MILK,1.29,1",
        "2026-07-01T08:05:00Z,S01,MILK,1.29,0",
        "2026-03-29 02:30:00,S01,MILK,1.29,0",
    ]
    file.write_text("\n".join(["timestamp,store,sku,price,bought", *rows, ""]), encoding="utf-8")
    lake = Lake(shop.settings)
    found = ingest(shop.settings, file, Reading(), shop.folder, NOW)
    assert found.row["reasons"] == {
        "the local time does not exist or happens twice in Europe/Berlin, Asia/Tokyo": [1, 5]
    }
    taken = [row for own in lake.partitions("interactions") for row in lake.read(own).to_pylist()]
    day = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
    assert {(row["store_id"], row["tick"], row["seen_at"] - day) for row in taken} == {
        ("S01", 0, dt.timedelta(hours=6, minutes=5)),
        ("S02", 0, dt.timedelta(hours=-1, minutes=5)),
        ("S01", 8, dt.timedelta(hours=8, minutes=5)),
    }
    assert {own.business_date for own in lake.partitions("interactions")} >= {day.date()}
    assert load(shop.folder).store.timezone == "Europe/Berlin"
