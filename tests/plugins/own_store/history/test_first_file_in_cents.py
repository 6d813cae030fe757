"""A first file whose prices look like whole cents is asked about, and one in whole euros goes on."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import DataError
from catalog.settings import Settings
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.ingest import ingest

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
Take = Callable[..., dict[str, Any]]


@pytest.fixture
def take(settings: Settings, tmp_path: Path) -> Take:
    def taken(prices: Sequence[object], qty: int = 12, column: str = "price", **reading: object) -> dict[str, Any]:
        rows = [f"2026-01-0{day},P{at},{price},{qty}" for day in (5, 6) for at, price in enumerate(prices)]
        file = tmp_path / "first.csv"
        file.write_text("\n".join([f"date,sku,{column},qty", *rows]) + "\n", encoding="utf-8")
        return ingest(settings, file, Reading.model_validate(reading), None, NOW).row

    return taken


@pytest.mark.parametrize(("prices", "column"), [((129, 89, 249, 1099), "price"), ((5, 9, 12), "price_cents")])
def test_whole_numbers_that_look_like_cents_are_asked_about(
    take: Take, settings: Settings, prices: Sequence[int], column: str
) -> None:
    with pytest.raises(DataError, match=f"found whole numbers alone in '{column}'.*--price-unit cents or --price-unit"):
        take(prices, column=column)
    assert not settings.shelf.exists()
    row = take(prices, column=column, price_unit="cents")
    assert [product["median"] for product in row["profile"]] == [price / 100 for price in prices]


@pytest.mark.parametrize(
    ("prices", "qty", "column"),
    [
        ((2, 3, 5, 12), 12, "price"),
        ((129, 89, 249.5), 12, "price"),
        ((499, 1299, 89), 1, "price"),
        ((129, 89, 249), 12, "price_eur"),
    ],
    ids=["small whole euros", "one with decimals", "dear goods by the piece", "a name that says euros"],
)
def test_shelves_in_whole_euros_go_on(take: Take, prices: Sequence[float], qty: int, column: str) -> None:
    assert take(prices, qty, column)["profile"][0]["median"] == prices[0]


def test_what_is_said_about_the_unit_settles_it(take: Take) -> None:
    assert take((129, 89, 249), price_unit="euros")["profile"][0]["median"] == 129
