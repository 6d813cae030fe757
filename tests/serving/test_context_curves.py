"""Curves in context: each hour of a date has its own, and whoever asks for the date gets their mean."""

import datetime as dt
from collections.abc import Iterator

import duckdb
import numpy as np
import pandas as pd
import pytest

from catalog.arrays import Floats
from catalog.errors import ModelError
from catalog.load import CLASSIC, load
from catalog.settings import Settings
from features.cells import feature_workbench
from features.stored_model import StoredModel
from flows.workspace import prepared
from serving.champion import Champion
from serving.context_curves import curves_for, hours_of
from serving.curves import demand_curves

SUNDAY = dt.date(2026, 1, 11)
SHELF = load(CLASSIC)


class ByHour:
    """A double of a champion: one chance for each hour and weekday, and it counts what it was asked."""

    version, features, asked = "7", ("price_ratio", "hour", "weekday", "tag_gone"), 0

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        self.asked += len(rows)
        return np.asarray(rows["hour"] / 100 + rows["weekday"] / 10 + rows["tag_gone"])


class ByPrice(ByHour):
    """One that looks at the price alone."""

    features = ("price_ratio",)

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        return np.asarray(1 / (1 + rows["price_ratio"]))


@pytest.fixture
def connection(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    prepared(settings, SHELF)
    with feature_workbench(settings, within=lambda _: False) as opened:
        yield opened


def test_each_hour_of_each_store_has_a_curve_and_equal_ones_are_asked_for_once(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    hours, champion = hours_of(connection, SHELF, [SUNDAY]), ByHour()
    found = curves_for(champion, connection, SHELF, hours)
    assert found.shape == (3 * 12, 5, 20)
    assert np.allclose(found, (hours["hour"] / 100 + 0.7).to_numpy()[:, None, None])
    assert champion.asked == 12 * 5 * 20


def test_the_curves_of_a_date_are_the_mean_over_its_hours(connection: duckdb.DuckDBPyConnection) -> None:
    found = demand_curves(connection, ByHour(), SHELF, SUNDAY)
    assert np.allclose(found.p_sale, 0.7 + np.arange(8, 20).mean() / 100)


def test_a_champion_of_prices_has_one_curve_for_all_hours(connection: duckdb.DuckDBPyConnection) -> None:
    found = curves_for(ByPrice(), connection, SHELF, hours_of(connection, SHELF, [SUNDAY], ("S02",)))
    assert found.shape == (12, 5, 20)
    assert np.array_equal(found[0], demand_curves(connection, ByPrice(), SHELF, SUNDAY).p_sale)
    assert (found == found[0]).all()


def test_a_model_that_looks_at_the_context_refuses_to_be_asked_without_it() -> None:
    model = StoredModel(("price_ratio", "weekday"), ("double", "double"), "", 1.0, None, {}, None)
    with pytest.raises(ModelError, match="expects the feature 'weekday'"):
        Champion("7", model).p_sale(pd.DataFrame({"price_ratio": [1.0]}))
