"""The planted-truth harness: its logs hold the truth that it says, and it counts what the real path makes of them."""

import json
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from catalog.errors import DataError
from evaluation.planted.__main__ import main
from evaluation.planted.naive_slopes import slopes
from evaluation.planted.planted_log import PlantedLog, PlantedQuestion, PlantedResult, ProductFound
from evaluation.planted.planted_report import as_markdown, holding, rows, summary
from evaluation.planted.planted_scenarios import SCENARIOS, PlantedScenario
from evaluation.planted.planted_world import GRAINS, Size
from evaluation.planted.retailer_log import write_log
from evaluation.worlds import chosen
from own_data.exports.columns import Grain

pytestmark = pytest.mark.play

_SMALL = Size(stores=4, days=182, products=3)
_TINY = ("--stores", "3", "--days", "56", "--products", "2", "--processes", "1")
_ERRORS = 4  # that an estimate may be from the truth


def _job(scenario: PlantedScenario, grain: Grain, seed: int = 1, size: Size = _SMALL) -> PlantedLog:
    return PlantedLog(scenario, grain, seed, size)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_who_knows_what_else_moves_demand_finds_the_planted_slope(scenario: PlantedScenario) -> None:
    for grain in scenario.grains:
        world, sales, _ = _job(scenario, grain, size=Size(stores=10, days=364, products=3)).drawn()
        found = slopes(world, sales, grain, knowing_the_rest=True)
        assert (np.abs(found.estimate - world.slope) < _ERRORS * found.error).all(), (grain, found, world.slope)
        assert found.error.max() < 0.5  # slopes are -1 to -2.5


@pytest.mark.parametrize("name", ["weekend-cheaper", "local-leaflet", "busy-strong", "busy-cheaper", "markdown-day"])
def test_who_looks_at_the_price_alone_is_misled_where_something_else_moves_demand(name: str) -> None:
    (scenario,) = chosen("scenario", [name], SCENARIOS)
    for grain in GRAINS:
        world, sales, _ = _job(scenario, grain).drawn()
        found = slopes(world, sales, grain, knowing_the_rest=False)
        assert (np.abs(found.estimate - world.slope) > _ERRORS * found.error).all(), (grain, found, world.slope)


@pytest.mark.parametrize("grain", GRAINS)
def test_a_seed_gives_the_same_bytes_and_another_seed_gives_others(grain: Grain, tmp_path: Path) -> None:
    (scenario,) = chosen("scenario", ["local-leaflet-known"], SCENARIOS)
    logs = []
    for place, seed in enumerate((1, 1, 2)):
        world, sales, rng = _job(scenario, grain, seed, Size(2, 28, 2)).drawn()
        write_log(tmp_path / f"{place}.csv", world, sales, grain, rng)
        logs.append((tmp_path / f"{place}.csv").read_bytes())
    assert logs[0] == logs[1] != logs[2]


@pytest.mark.parametrize("grain", GRAINS)
def test_a_log_holds_every_sale_and_no_hidden_cause(grain: Grain, tmp_path: Path) -> None:
    (scenario,) = chosen("scenario", ["local-leaflet-known"], SCENARIOS)
    world, sales, rng = _job(scenario, grain, size=Size(3, 56, 4)).drawn()
    write_log(tmp_path / "log.csv", world, sales, grain, rng)
    header, *lines = (tmp_path / "log.csv").read_text(encoding="utf-8").splitlines()
    names = [name.strip('"') for name in header.split(",")]
    counted = {"visits": "bought", "receipts": "quantity", "units": "units_sold"}[grain]
    assert sum(int(line.split(",")[names.index(counted)]) for line in lines) == sales.sold.sum() > 0
    assert {"store", "sku", "promotion", counted} < set(names)
    assert not {"shift", "slope"} & set(names)
    expected = {"visits": sales.exposure.sum(), "units": world.price.size}.get(grain, len(lines))
    assert len(lines) == expected
    assert world.promotion is not None
    assert {line.split(",")[names.index("promotion")] for line in lines} == {"0", "1"}


def test_the_world_is_the_same_in_every_grain() -> None:
    (scenario,) = chosen("scenario", ["drift-together"], SCENARIOS)
    first, *others = (_job(scenario, grain).drawn()[0] for grain in GRAINS)
    assert all((first.price == other.price).all() and (first.shift == other.shift).all() for other in others)


def test_counts_are_of_told_products_and_of_intervals_that_hold_the_truth() -> None:
    held = ProductFound("A", -1.0, -3.0, "told", "", -1.1, -1.3, -0.9)
    missed = ProductFound("B", -1.0, -3.0, "told", "", -3.1, -3.3, -2.9)
    silent = ProductFound("C", -1.0, -3.0, "too thin", "", None, None, None)
    played = PlantedResult("s", "confounded", "visits", 1, (held, missed, silent), "promoted", None, False, 1.0)
    assert holding([held, missed]) == "1 of 2"
    _, (row,) = rows([played])
    assert row[2:5] == ["3", "2", "1 of 2"]
    (found,) = summary([played])
    assert (found["told"], found["hold_truth"]) == (2, 1)


def test_the_markdown_has_a_row_for_a_scenario_that_no_asked_grain_can_show() -> None:
    table = as_markdown(PlantedQuestion(chosen("scenario", ["by-visit"], SCENARIOS), grains=("units",)), [])
    assert "| by-visit | a price for each visit at random | - | -, - |" in table


def test_an_unknown_scenario_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(DataError, match=r"'store-weak'.*Did you mean store-week\?"):
        chosen("scenario", ["store-weak"], SCENARIOS)


def test_a_log_that_breaks_the_path_is_reported_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ingest(*_arguments: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("evaluation.planted.planted_log.ingest", ingest)
    monkeypatch.setattr(sys, "argv", ["planted", *_TINY, "--scenarios", "randomised", "--grains", "units"])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert "RuntimeError('a bug')" in capsys.readouterr().out


def test_a_log_that_is_taken_for_another_grain_is_not_learned_from(tmp_path: Path) -> None:
    (scenario,) = chosen("scenario", ["by-visit"], SCENARIOS)

    class Misread:
        row: ClassVar = {"grain": "receipts"}

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("evaluation.planted.planted_log.ingest", lambda *_arguments: Misread())
        found = _job(scenario, "visits", size=Size(2, 28, 2)).play_in(tmp_path)
    assert found.why_not is not None
    assert "expected by-visit.csv to be taken for visits, found receipts" in found.why_not
    assert not found.products


def test_a_log_that_the_product_refuses_is_reported_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ingest(*_arguments: Any) -> None:
        raise DataError("this file is refused")

    monkeypatch.setattr("evaluation.planted.planted_log.ingest", ingest)
    asked = ["--scenarios", "randomised", "--grains", "units"]
    monkeypatch.setattr(sys, "argv", ["planted", *_TINY, *asked])
    main()
    assert "this file is refused" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["planted", *_TINY, *asked, "--markdown"])
    main()
    assert "| randomised |" in (table := capsys.readouterr().out)
    assert "| refused |" in table


@pytest.mark.slow
def test_a_small_run_prints_counts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--scenarios", "randomised,zero-store-week", "--grains", "visits", "--json"]
    monkeypatch.setattr(sys, "argv", ["planted", *_TINY, *asked])
    main()
    found = json.loads(capsys.readouterr().out)
    assert [log["scenario"] for log in found["logs"]] == ["randomised", "zero-store-week"]
    assert [(one["kind"], one["products"]) for one in found["summary"]] == [("randomised", 2), ("zero effect", 2)]
    assert all(log["gate"] for log in found["logs"])
    randomised = found["logs"][0]["products"]
    assert all(product["lower"] < product["upper"] for product in randomised)
