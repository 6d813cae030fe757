"""A store that starts to learn: what learning costs, and that regret falls."""

from pathlib import Path

import pytest

from catalog.load import CLASSIC
from evaluation.first_days import DayResult, live_first_days, regret_by_period
from evaluation.worlds import built_in
from features.cells import feature_workbench
from flows.workspace import open_workspace


def test_regret_falls_once_a_store_prices_by_what_it_learned(empty_home: Path) -> None:
    workspace = open_workspace(str(CLASSIC))
    world = next(world for world in built_in(workspace.catalog) if world.name == "200 visits")
    with feature_workbench(workspace.settings) as connection:
        lived = live_first_days(connection, world.catalog, 9, 3)
    assert [row.day for row in lived if row.policy == "static"] == list(range(1, 10))
    regret = regret_by_period(lived)
    assert list(regret["static"]) == ["days 1 to 7", "days 8 to 9"]
    trying, priced = regret["stock_aware"].values()
    assert trying > 0.1
    assert priced < 0.035
    assert priced < regret["greedy"]["days 8 to 9"] - 0.1


def test_regret_is_what_the_clairvoyant_earned_more_as_a_share_of_it() -> None:
    rows = [DayResult("p", seed, day, 90.0 + day, 100.0) for seed in (1, 2) for day in (1, 2)]
    assert regret_by_period(rows) == {"p": {"days 1 to 2": pytest.approx(0.085)}}
