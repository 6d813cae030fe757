"""An owner's own draw of prices is judged by that draw alone, once nothing refutes that it was one."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from catalog.load import load
from catalog.settings import Settings, read_settings
from etl.transform import transform
from evaluation.memory_registry import MemoryRegistry
from features.cells import feature_workbench
from features.response import PriceResponse
from flows.workspace import prepared
from own_data.exports.columns import Reading
from own_data.exports.ingest import ingest
from own_data.price_response.declared import coin_rows, declared_responses
from serving.counts.design_analysis import coin_slopes
from serving.evidence import evidence
from training.session import train

FIRST, DAYS, UNITS, SLOPE = dt.date(2025, 1, 6), 84, 20.0, -2.0  # a Monday
OF_A_FILE = 56  # days, of which a coin is told too; each is published on its own
LOW, HIGH = 1.86, 2.14  # 7 % around 2.00
_BUSY = (0.9, 0.9, 0.95, 1.0, 1.1, 1.2, 0.95)
_SHAPE, _WEEKS = 30.0, 0.1  # of what varies beyond chance: days, and the log of weeks


def drawn_days(
    seed: int,
    slope: float = SLOPE,
    *,
    stores: int = 1,
    days: int = DAYS,
    by_week: bool = False,
    chance: float = 0.5,
    is_high: Callable[[int], bool] | None = None,
) -> pd.DataFrame:
    """Return what `drawn_by_owner` would of one product whose prices a coin chose, or somebody else."""
    dice, rows = np.random.default_rng((seed, stores, int(-10 * slope))), []
    for store in range(stores):
        weeks, high = np.exp(dice.normal(0, _WEEKS, days // 7 + 1)), False
        for day in range(days):
            if not by_week or day % 7 == 0:
                high = bool(dice.random() < chance) if is_high is None else is_high(day)
            price = HIGH if high else LOW
            mean = UNITS * (price / 2.0) ** slope * weeks[day // 7] * _BUSY[day % 7]
            units = float(dice.poisson(dice.gamma(_SHAPE, mean / _SHAPE)))
            date = FIRST + dt.timedelta(days=day)
            rows.append(("A", f"S{store}", date, price, units, chance if high else 1 - chance, None, None))
    names = ["sku", "store_id", "business_date", "price", "units", "propensity", "unit", "block"]
    return pd.DataFrame(rows, columns=names)


def told(days: pd.DataFrame) -> PriceResponse:
    found = declared_responses(days)
    assert not found.refuted
    return found.told["A"]


def holds(own: PriceResponse, slope: float) -> bool:
    return own.estimate is not None and own.estimate.lower <= slope <= own.estimate.upper


@pytest.mark.slow
@pytest.mark.parametrize(("slope", "least", "most"), [(SLOPE, 0.95, 1.0), (0.0, 0.0, 0.05)])
def test_twelve_weeks_of_one_stores_coin_tell_a_slope_that_is_there_and_none_that_is_not(
    slope: float, least: float, most: float
) -> None:
    found = [
        told(drawn_days(seed, slope)) for seed in range(200) if not declared_responses(drawn_days(seed, slope)).refuted
    ]
    assert len(found) >= 196, "a true coin is hardly ever refuted"
    assert least <= np.mean([own.verdict == "told" for own in found]) <= most
    assert np.mean([holds(own, slope) for own in found]) >= 0.93


def test_a_coin_of_one_store_is_told_by_design(settings: Settings) -> None:
    own = told(drawn_days(1))
    assert (own.verdict, own.by, own.is_count) == ("told", "design", True)
    assert holds(own, SLOPE)
    assert own.decisions == DAYS
    assert "84 drawn units" in own.why


def test_a_slope_that_is_not_there_is_not_told() -> None:
    own = told(drawn_days(2, 0.0))
    assert (own.verdict, own.by) == ("too thin", "design")
    assert "no response is possible too" in own.why


@pytest.mark.parametrize(
    ("is_high", "what"),
    [
        (lambda day: day % 2 == 0, "pattern"),
        (lambda day: day % 7 > 3, "weekdays: most on weekday"),
        (lambda day: day % 5 == 0, "higher side"),
        (lambda day: (day + 3) // 7 % 2 == 0, "pattern"),
    ],
    ids=["every other day", "weekends", "too rarely", "weeks that begin on Thursday"],
)
def test_prices_that_were_not_drawn_as_declared_are_refuted(is_high: Callable[[int], bool], what: str) -> None:
    found = declared_responses(drawn_days(3, is_high=is_high))
    assert not found.told
    assert what in found.refuted["A"]


def test_a_week_that_has_one_price_is_one_throw_and_says_little_in_one_store() -> None:
    rows = coin_rows(drawn_days(4, by_week=True))
    assert len(rows.blocks) == len(np.unique(rows.blocks)) == DAYS // 7
    assert rows.exposure is not None
    assert rows.exposure.tolist() == [7.0] * 12
    assert rows.weekdays is None


def test_a_unit_that_the_file_names_is_one_throw() -> None:
    days = drawn_days(5, by_week=True, stores=2)
    named = days.assign(unit=[f"{row.store_id}/{row.business_date:%G-%V}" for row in days.itertuples()])
    ours, theirs = coin_rows(days), coin_rows(named)
    assert np.array_equal(ours.units, theirs.units)
    assert len(np.unique(theirs.blocks)) == 24
    apart = named.assign(
        unit=named["unit"].where(named["business_date"] != FIRST + dt.timedelta(days=3), "S0/2025-W04")
    )
    assert "both prices" in declared_responses(apart).refuted["A"]


def test_draws_within_blocks_are_thrown_again_within_them() -> None:
    days = drawn_days(6, by_week=True, stores=4)
    days = days.assign(block=[f"{date:%G-%V}" for date in days["business_date"]])
    rows = coin_rows(days)
    again, first = rows.thrown_again(0, 50), np.unique(rows.blocks, return_index=True)[1]
    assert rows.strata is not None
    for block in np.unique(rows.strata):
        own = rows.strata[first] == block
        assert (again[:, own].sum(axis=1) == rows.is_high[first][own].sum()).all()
    assert len(np.unique(again, axis=0)) > 20


def test_a_third_price_is_refused_unless_blocks_keep_the_pairs_apart() -> None:
    days = drawn_days(7)
    is_late = days["business_date"] >= FIRST + dt.timedelta(days=42)
    dearer = days.assign(price=np.where(is_late, days["price"] + 0.5, days["price"]))
    assert "and 4 were found" in declared_responses(dearer).refuted["A"]
    apart = told(dearer.assign(block=np.where(is_late, "spring", "winter")))
    assert (apart.verdict, holds(apart, SLOPE)) == ("told", True)


def test_days_without_a_sale_whose_price_nobody_knows_are_not_left_out_in_silence() -> None:
    days = drawn_days(8)
    lost = days["business_date"].isin([FIRST + dt.timedelta(days=day) for day in (5, 9, 20)])
    unsold = days.assign(units=days["units"].where(~lost, 0.0), propensity=days["propensity"].where(~lost))
    assert "on 4% of its days nothing sold" in declared_responses(unsold).refuted["A"]


def test_several_products_are_corrected_for_their_number() -> None:
    alone = told(drawn_days(1))
    many = declared_responses(pd.concat([drawn_days(1).assign(sku=sku) for sku in "ABCDEFGH"]))
    assert alone.estimate is not None
    rows = [coin_rows(drawn_days(1))] * 8
    assert [own.adjusted for own in coin_slopes(rows)] == [min(1.0, 8 * coin_slopes(rows[:1])[0].p_value)] * 8
    assert {own.estimate for own in many.told.values()} == {alone.estimate}


def written(folder: Path, days: pd.DataFrame, kind: str = "csv") -> Path:
    """Write days as an export of units, beside a product that nobody drew."""
    usual = days[days["sku"] == "A"].assign(sku="B", price=3.0, units=9.0, propensity=None)
    rows = pd.concat([days, usual]).rename(columns={"business_date": "date", "store_id": "store", "units": "qty"})
    file = folder / f"units.{kind}"
    if kind == "csv":
        rows.to_csv(file, index=False)
    elif kind == "parquet":
        rows.assign(propensity=rows["propensity"].astype(float), unit=rows["unit"].astype("str")).to_parquet(file)
    else:
        rows.to_excel(file, index=False)
    return file


@pytest.fixture(scope="module", params=["csv", "parquet"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, PriceResponse]:
    """Return what a file tells of A, which was drawn as it says, of B, which nobody drew, and of C, which was not."""
    folder = tmp_path_factory.mktemp("drawn")
    home = read_settings({"SHELFPRICE_HOME": str(folder / "home")})
    by_turns = drawn_days(1, days=OF_A_FILE, is_high=lambda day: day % 2 == 0).assign(sku="C")
    file = written(folder, pd.concat([drawn_days(1, days=OF_A_FILE), by_turns]), request.param)
    shelf = ingest(home, file, Reading(), None, NOW).shelf
    with feature_workbench(home) as connection:
        return {own.sku: own for own in evidence().responses(connection, load(shelf), FIRST + dt.timedelta(days=DAYS))}


def test_a_file_that_says_how_its_prices_were_drawn_is_told_by_design(found: dict[str, PriceResponse]) -> None:
    assert (found["A"].verdict, found["A"].by) == ("told", "design")
    assert found["A"] == told(drawn_days(1, days=OF_A_FILE)), "nothing of the draw is lost on the way"
    assert (found["B"].verdict, found["B"].by) == ("too thin", "log")


def test_a_refuted_draw_is_read_as_an_ordinary_log_and_said(found: dict[str, PriceResponse]) -> None:
    own = found["C"]
    assert (own.verdict, own.by) == ("too confounded", "refuted design")
    assert own.why.startswith("its declared draw does not count (pattern of 1: alternates with the throw 1 before")
    assert "); as a log: " in own.why


NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def test_visits_tell_a_draw_by_what_was_bought(settings: Settings, tmp_path: Path) -> None:
    days, rows = drawn_days(1, days=OF_A_FILE), []
    for day in days.itertuples():
        for visit in range(40):
            at = dt.datetime.combine(day.business_date, dt.time(8), dt.UTC) + dt.timedelta(minutes=15 * visit)
            rows.append((at.isoformat(), "A", day.price, int(visit < min(40, day.units)), day.propensity))
    file = tmp_path / "visits.csv"
    pd.DataFrame(rows, columns=["time", "sku", "price", "bought", "propensity"]).to_csv(file, index=False)
    shelf = ingest(settings, file, Reading(), None, NOW).shelf
    with feature_workbench(settings) as connection:
        (own,) = evidence().responses(connection, load(shelf), FIRST + dt.timedelta(days=DAYS))
    assert (own.verdict, own.by, own.is_count) == ("told", "design", True)


def test_a_unit_of_measure_is_none_of_assignment(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    file.write_text("date,store,sku,price,qty,unit\n2025-01-06,S0,A,2.00,5,kg\n2025-01-07,S0,A,2.00,6,kg\n")
    assert "unit" not in ingest(settings, file, Reading(), None, NOW).row["columns"]


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "slope"), [(1, SLOPE), (2, SLOPE), (3, SLOPE), (6, 0.0)])
def test_a_training_says_what_a_draw_of_its_owner_told(
    settings: Settings, tmp_path: Path, seed: int, slope: float
) -> None:
    shelf = ingest(settings, written(tmp_path, drawn_days(seed, slope)), Reading(), None, NOW).shelf
    workspace = prepared(settings, load(shelf))
    transform(workspace)
    trained = train(workspace, MemoryRegistry(), FIRST + dt.timedelta(days=DAYS - 1), 7)
    own = next(found for found in trained.responses if found.sku == "A")
    assert (own.verdict == "told", own.by) == (slope != 0, "design")
    assert holds(own, slope)
    assert trained.verdict.promoted == (slope != 0), trained.verdict.refusals


@pytest.mark.slow
def test_ten_stores_that_draw_by_the_week_are_told_after_weeks_and_not_after_months() -> None:
    def share(weeks: int) -> float:
        of_seeds = [declared_responses(drawn_days(seed, stores=10, days=7 * weeks, by_week=True)) for seed in range(60)]
        return float(np.mean(["A" in one.told and one.told["A"].verdict == "told" for one in of_seeds]))

    assert share(4) >= 0.8
    assert share(6) >= 0.95
