"""The scorecard of scripted changes: what is counted, from days that were made up, and one world really played."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import DataError
from catalog.load import CLASSIC, load
from evaluation import flows as flow_module
from evaluation.drift import drift_report as shock_report
from evaluation.drift.scorecard import UNWATCHED, ScoredDay, ShocksToPlay, outcomes
from evaluation.flows import play_shocks
from evaluation.worlds import shocked_worlds
from simulation.stock import opening_stock
from simulation.visits import budget_shifts_on, demand_factors_on
from warehouse.connection import read_only

WORLDS = {world.name: world for world in shocked_worlds(load(CLASSIC))}
FALL = WORLDS["budgets fall"]
CHANGE = FALL.changes[0]


def days(earned: list[float], alarms: tuple[int, ...] = (), unwatched: float = 80.0) -> list[ScoredDay]:
    """Return days from a week before the change on; the clairvoyant earns 100 EUR."""
    first = CHANGE - dt.timedelta(days=7)
    return [
        ScoredDay(first + dt.timedelta(days=day), 1_000, day in alarms, eur, eur if day < 7 else unwatched, 100.0)
        for day, eur in enumerate(earned)
    ]


def test_an_alarm_on_the_second_evening_and_a_recovery_after_three_days_are_counted() -> None:
    played = days([99.5] * 7 + [80.0, 80.0, 90.0, 99.0, 99.5], alarms=(2, 8, 11))
    before, after = outcomes(FALL, "residuals", 1, played)
    assert (before.change, before.days, before.false_alarms, before.detected_after_days) == (0, 7, 1, None)
    assert (after.detected_after_days, after.decisions, after.recovered_after_days) == (2, 2_000, 3)
    assert after.false_alarms == 1  # the one after the recovery
    assert after.lost_eur == pytest.approx(3 * (20 + 20 + 10))  # three stores


def test_what_is_never_seen_and_never_good_again_costs_until_the_end() -> None:
    played = days([99.5] * 7 + [80.0] * 5)
    _, after = outcomes(FALL, "residuals", 1, played)
    assert (after.detected_after_days, after.decisions, after.recovered_after_days) == (None, None, None)
    assert after.lost_eur == pytest.approx(3 * 5 * 20)


def test_the_first_champion_forever_is_scored_by_its_own_prices_and_has_no_alarms() -> None:
    played = days([99.5] * 7 + [80.0, 99.5, 99.5], alarms=(2, 7))
    before, after = outcomes(FALL, UNWATCHED, 1, played)
    assert (before.false_alarms, after.false_alarms, after.detected_after_days) == (0, 0, None)
    assert after.recovered_after_days is None
    assert after.lost_eur == pytest.approx(3 * 3 * 20)


def test_a_store_that_was_at_ninety_six_per_cent_is_good_again_at_ninety_five() -> None:
    played = days([96.0] * 7 + [80.0, 95.0])
    assert outcomes(FALL, "residuals", 1, played)[1].recovered_after_days == 1


def test_only_what_is_meant_to_change_does_in_the_scripted_worlds() -> None:
    quiet = WORLDS["quiet"].catalog
    for world in WORLDS.values():
        before = CHANGE - dt.timedelta(days=1)
        assert np.array_equal(budget_shifts_on(world.catalog, before)[0], np.zeros(5)), world.name
        assert np.array_equal(opening_stock(world.catalog, before), opening_stock(quiet, before)), world.name
    last = CHANGE + dt.timedelta(days=20)
    shift = {name: budget_shifts_on(world.catalog, last)[0].round(6).tolist() for name, world in WORLDS.items()}
    assert shift["quiet"] == shift["doubled footfall"] == shift["missed delivery"] == [0.0] * 5
    assert shift["budgets fall"] == [-0.2] * 5
    assert shift["budgets rise"] == [0.2] * 5
    assert shift["one product"] == [-0.2, 0.0, 0.0, 0.0, 0.0]
    assert shift["slow slide"] == [-0.25] * 5
    second = WORLDS["second change"]
    assert budget_shifts_on(second.catalog, second.changes[1])[0].round(6).tolist() == [0.1] * 5
    assert demand_factors_on(WORLDS["doubled footfall"].catalog, CHANGE)[0].tolist() == [2.0] * 5
    assert opening_stock(WORLDS["missed delivery"].catalog, CHANGE).tolist() == [20] * 5


def test_the_scorecard_is_kept_in_the_lake_and_told_by_change_and_rule(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made_up(_part: ShocksToPlay) -> list[ScoredDay]:
        return days([99.5] * 7 + [80.0, 80.0, 99.5], alarms=(7,))

    monkeypatch.setattr(flow_module, "play_part", made_up)
    monkeypatch.setattr(flow_module, "_SECONDS_A_DAY", 0.0)  # little work is done in this process
    found = play_shocks(("budgets fall",), 2)
    rows = [dict(zip(shock_report.COLUMNS, row, strict=True)) for row in shock_report.rows_of(found)]
    seen = {(row["change"], row["rule"]): row for row in rows}
    assert seen["change 1", "residuals"]["seen after, days"] == "1"
    assert seen["change 1", "residuals"]["lost until then, EUR"] == "120"
    assert seen["change 1", "none"]["good again after, days"] == "never"
    assert len(shock_report.as_json(found)["outcomes"]) == 2 * 2 * 2
    from catalog.settings import read_settings

    with read_only(read_settings({"SHELFPRICE_HOME": str(empty_home)})) as warehouse:
        kept = warehouse.execute(
            "select rule, lost_eur from drift_results_history where change = 1 and seed = 2 order by rule"
        ).fetchall()
    assert kept == [("none", 180.0), ("residuals", 120.0)]


def test_an_unknown_scenario_is_refused_with_those_there_are(empty_home: Path) -> None:
    with pytest.raises(DataError, match="'rain'; nothing was played"):
        play_shocks(("rain",), 1)


@pytest.mark.slow
def test_a_store_whose_shoppers_have_less_sees_it_that_evening_and_prices_well_the_next_morning() -> None:
    world = replace(FALL, days=18)
    played = ShocksToPlay(world, 3).play()
    quiet, after = outcomes(world, "residuals", 3, played)
    assert quiet.false_alarms == 0
    assert (after.detected_after_days, after.recovered_after_days) == (1, 1)
    assert after.lost_eur < 300  # of three stores at their opening prices, before the day itself corrects them
    assert outcomes(world, UNWATCHED, 3, played)[1].recovered_after_days == 1  # the belief mends the first champion too
