"""A home in which two days were sold, a small lake with everything the pages show, and a way to read components."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from dash.development.base_component import Component

from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from dashboard.data.versions import Version
from dashboard.monitor import Monitor
from dashboard.prefect.control import live_control
from features.cells import ALL_VIEWS
from warehouse.lake import Lake, Partition
from warehouse.query.connection import build_file

HOSTILE = "<script>alert(1)</script>'); drop table x; --"
FIRST = dt.date(2026, 1, 12)
AT = dt.datetime(2026, 1, 20, 9, 30, tzinfo=dt.UTC)
SKUS = ("MILK", "BREAD")


def publish(lake: Lake, table: str, rows: list[dict[str, Any]], date: dt.date | None, group: str = "a") -> None:
    schema = TABLES[table].schema
    lake.publish(Partition(table, date, group), pa.Table.from_pylist(rows, schema=schema), inputs=str(rows))


@pytest.fixture(scope="session")
def sold(sell_two_days: Callable[[Path], Settings], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home in which two days were sold, for tests that only read it."""
    return sell_two_days(tmp_path_factory.mktemp("sold"))


@pytest.fixture
def lake(settings: Settings) -> Lake:
    """A lake with every table and no rows."""
    lake = Lake(settings)
    lake.prepare()
    build_file(settings, ALL_VIEWS)
    return lake


@pytest.fixture
def add_version(lake: Lake) -> Callable[..., None]:
    """Publish one judged version; later numbers are decided later."""

    def add(
        number: int,
        *,
        promoted: bool = True,
        judged: dt.date | None = None,
        money: dict[str, Any] | None = None,
        since: dt.date | None = None,
        unmet: str = "not worse than the champion",
        shares: dict[str, float] | None = None,
    ) -> None:
        judged = judged or FIRST + dt.timedelta(days=number - 1)
        metrics = {"log_loss": 0.6 - number / 100, "calibration_error": 0.02, "roc_auc": 0.6, "own_metric": 3.0}
        metrics |= shares or {}
        row = {
            "version": str(number),
            "candidate": "demand_forest",
            "run_id": f"run{number}",
            "training_run_id": f"training{number}",
            "trained_since": since,
            "trained_through": judged - dt.timedelta(days=2),
            "judged_through": judged,
            "metrics": json.dumps(metrics),
            "candidates": json.dumps({"demand_forest": metrics, "plain_forest": {**metrics, "log_loss": 0.9}}),
            "promoted": promoted,
            "reasons": json.dumps(
                [
                    {"condition": "every price varied", "met": True, "found": "at least 21 prices per product"},
                    {"condition": unmet, "met": promoted, "found": HOSTILE},
                ]
            ),
            "money": json.dumps(money) if money else None,
            "decided_at": dt.datetime.combine(judged + dt.timedelta(days=1), dt.time(), dt.UTC),
        }
        known = {name: value for name, value in row.items() if name in TABLES["model_versions"].schema.names}
        publish(lake, "model_versions", [known], None, f"v{number}")

    return add


@pytest.fixture
def add_change(lake: Lake) -> Callable[..., None]:
    """Publish one change of champion."""

    def add(number: int, version: str, action: str, reason: str = "because", by: str = "the gate") -> None:
        row = {
            "change": number,
            "version": version,
            "previous": None,
            "action": action,
            "decided_by": by,
            "decided_at": AT,
            "reason": reason,
            "prices_from": FIRST,
        }
        publish(lake, "champions", [row], None, f"{number:06d}")

    return add


@pytest.fixture
def add_priced_day(lake: Lake) -> Callable[..., None]:
    """Publish one day's curves, and what shoppers did: exactly the promised share at every price."""

    def add(date: dt.date, version: str) -> None:
        prices = (1.0, 1.5, 2.0)
        chances = (0.8, 0.5, 0.2)
        curve = [
            {
                "sku": sku,
                "candidate": position,
                "price": price,
                "p_sale": chance,
                "expected_revenue": price * chance,
                "supported": True,
                "model_version": version,
            }
            for sku in SKUS
            for position, (price, chance) in enumerate(zip(prices, chances, strict=True))
        ]
        cells = [
            {
                "sku": sku,
                "price_offered": price,
                "price_ratio": price / 1.5,
                "inventory_level": 50,
                "n_offered": 100,
                "n_purchased": round(100 * chance),
            }
            for sku in SKUS
            for price, chance in zip(prices, chances, strict=True)
        ]
        known = TABLES["demand_curves"].schema.names
        publish(lake, "demand_curves", [{n: v for n, v in row.items() if n in known} for row in curve], date)
        publish(lake, "demand_cells", cells, date)

    return add


@pytest.fixture
def add_lives(lake: Lake) -> Callable[..., None]:
    """Publish two days of two seeds in one world; the clairvoyant earns 100 EUR in each store."""

    def add(
        lost: dict[str, list[float]],
        world: str,
        stores: int = 1,
        *,
        at: dt.datetime = AT,
        less: float = 0.0,
        seeds: tuple[int, ...] = (1, 2),
    ) -> None:
        rows = [
            {
                "world": world,
                "learner": learner,
                "seed": seed,
                "count_stores": stores,
                "day": day,
                "gain_eur": 100.0 * stores * (1 - share + less),
                "clairvoyant_eur": 100.0 * stores,
                "priced_by": ("base", "belief")[day - 1] if learner == "as_shipped" else None,
                "lived_at": at,
            }
            for learner, shares in lost.items()
            for seed in seeds
            for day, share in enumerate(shares, start=1)
        ]
        publish(lake, "regret_by_day_history", rows, None, f"{world}-{stores}-{at:%d}".replace(" ", "-"))

    return add


@pytest.fixture
def monitor(settings: Settings) -> Monitor:
    return Monitor(settings, live_control(settings))


@pytest.fixture
def three(add_version: Callable[..., None], monitor: Monitor) -> tuple[Version, ...]:
    """Version 1 was champion, 2 is champion, 10 was refused: text order would put 10 before 2."""
    add_version(1)
    add_version(2)
    add_version(10, promoted=False)
    return monitor.versions()


@pytest.fixture
def words() -> Callable[[Any], str]:
    """Return everything a component shows as text, in order."""

    def spoken(part: Any) -> Iterator[str]:
        if isinstance(part, str):
            yield part
        elif isinstance(part, list | tuple):
            for item in part:
                yield from spoken(item)
        elif isinstance(part, Component):
            yield from spoken(getattr(part, "title", None) if type(part).__name__ == "Alert" else None)
            yield from spoken(getattr(part, "children", None))

    return lambda part: " ".join(spoken(part))
