"""Which days a training learns from: all of them, a window, and those since a change in demand."""

import datetime as dt
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from catalog.errors import DataError
from catalog.load import CLASSIC, load
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from etl.load import load_dimensions
from features.cells import feature_workbench
from features.footfall import demand_shifts, observed_prices
from training.fit.dataset import load_dataset
from warehouse.lake import Lake, Partition

DAYS = tuple(dt.date(2026, 1, 5) + dt.timedelta(days=day) for day in range(6))


@pytest.fixture
def lake(settings: Settings) -> Lake:
    """Six days of milk: day by day a cent dearer, 60 of 100 bought, and 20 of 100 from the fifth on, at 1.00 always."""
    lake = Lake(settings)
    lake.prepare()
    load_dimensions(lake, load(CLASSIC), ["Ann Lee"])
    for number, date in enumerate(DAYS):
        bought = 60 if number < 4 else 20
        cells = {
            "sku": pa.array(["MILK", "MILK"]).dictionary_encode(),
            "price_offered": [1.0, 1.2 + number / 100],
            "price_ratio": [1.0 / 1.5, (1.2 + number / 100) / 1.5],
            "inventory_level": [50, 50],
            "n_offered": [100, 100],
            "n_purchased": [bought, bought],
        }
        table = pa.table(cells, schema=TABLES["demand_cells"].schema)
        lake.publish(Partition("demand_cells", date, "all"), table, inputs=str(date))
    return lake


@pytest.fixture
def bench(lake: Lake, settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with feature_workbench(settings) as connection:
        yield connection


def test_without_a_change_every_day_counts_as_it_is(bench: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    data = load_dataset(bench, lake, DAYS[-1])
    assert (data.learned_from, data.trained_since) == (DAYS[0], DAYS[0])
    assert (data.trained_through, data.judged_through) == (DAYS[3], DAYS[5])
    assert data.training["n_offered"].sum() == 800
    assert data.training["n_offered"].dtype == "int64"


def test_a_window_leaves_earlier_days_out_and_has_a_fingerprint_of_its_own(
    bench: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    whole, data = load_dataset(bench, lake, DAYS[-1]), load_dataset(bench, lake, DAYS[-1], DAYS[2])
    assert (data.learned_from, data.trained_since, data.trained_through) == (DAYS[2], DAYS[2], DAYS[4])
    assert data.training["price_offered"].round(2).tolist() == [1.0, 1.22, 1.23, 1.24]
    assert data.fingerprint != whole.fingerprint
    lake.publish(
        Partition("demand_cells", DAYS[0], "late"), lake.read(Partition("demand_cells", DAYS[0], "all")), inputs="late"
    )
    assert load_dataset(bench, lake, DAYS[-1], DAYS[2]).fingerprint == data.fingerprint
    assert load_dataset(bench, lake, DAYS[-1]).fingerprint != whole.fingerprint


def test_since_a_change_the_days_before_lend_their_prices_at_the_new_odds(
    bench: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    data = load_dataset(bench, lake, DAYS[-1], None, (DAYS[4],))
    assert (data.learned_from, data.trained_since) == (DAYS[0], DAYS[4])
    assert (data.trained_through, data.judged_through) == (DAYS[4], DAYS[5])
    assert set(data.holdout["business_date"].dt.date) == {DAYS[5]}
    assert data.training["price_offered"].round(2).nunique() == 6
    shares = data.training.groupby(data.training["price_offered"].round(2))[["n_offered", "n_purchased"]].sum()
    assert (shares["n_purchased"] / shares["n_offered"]).to_numpy() == pytest.approx(0.2, abs=0.02)
    assert data.fingerprint != load_dataset(bench, lake, DAYS[-1]).fingerprint


def test_a_change_outside_the_days_asked_for_is_none(bench: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    later = load_dataset(bench, lake, DAYS[3], None, (DAYS[4],))
    assert later.trained_since == DAYS[0]
    earlier = load_dataset(bench, lake, DAYS[-1], DAYS[2], (DAYS[1],))
    assert (earlier.learned_from, earlier.trained_since) == (DAYS[2], DAYS[2])


def test_one_day_since_a_change_is_refused_with_its_date(bench: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    with pytest.raises(DataError, match=f"from {DAYS[5]} up to {DAYS[5]}, found 1; no model was trained"):
        load_dataset(bench, lake, DAYS[-1], None, (DAYS[5],))


def test_prices_count_as_observed_from_the_first_day_that_was_learned_from(bench: duckdb.DuckDBPyConnection) -> None:
    milk = observed_prices(bench, load(CLASSIC), DAYS[4])[0]
    assert milk.tolist() == [1.0, pytest.approx(1.24)]
    assert observed_prices(bench, load(CLASSIC), DAYS[4], DAYS[4])[0].tolist() == [1.0, pytest.approx(1.24)]
    assert observed_prices(bench, load(CLASSIC), DAYS[4], DAYS[5])[0].tolist() != milk.tolist()


def test_changes_are_those_found_up_to_a_date_and_of_one_day_the_last_to_begin(
    bench: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    for date, version, since in (
        (DAYS[2], "1", (DAYS[1], DAYS[2])),
        (DAYS[3], "1", (None, DAYS[2])),
        (DAYS[5], "2", (DAYS[4], None)),
    ):
        rows = [
            {
                "sku": sku,
                "model_version": version,
                "decisions": 1,
                "mean_residual": 0.0,
                "standard_error": 0.1,
                "detected": began is not None,
                "since": began,
                "direction": None,
                "residual_before": None,
                "residual_after": None,
            }
            for sku, began in zip(("MILK", "EGGS"), since, strict=True)
        ]
        table = pa.Table.from_pylist(rows, schema=TABLES["drift_checks"].schema)
        lake.publish(Partition("drift_checks", date, f"v{version}"), table, inputs=str(date))
    assert demand_shifts(bench, DAYS[5]) == (DAYS[2], DAYS[4])
    assert demand_shifts(bench, DAYS[4]) == (DAYS[2],)
    assert demand_shifts(bench, DAYS[5], "2") == (DAYS[4],)
    assert demand_shifts(bench, DAYS[5], "3") == ()
