"""The worlds that ship: each can be loaded, asked for by name, and is what its description says."""

import datetime as dt
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from truly_earned import expected_gain

import catalog.load as catalogs
from catalog.decisions.store_day import StoreDay
from catalog.errors import DataError
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load, restored
from etl.calendar import DEFAULT_START
from etl.twin.selling import chooses_substitutes
from etl.twin.store_day import meet
from etl.twin.visits import budget_shifts_on, draw_visits
from plugins.evaluation.clairvoyant import clairvoyant
from plugins.evaluation.commands.compare import compare
from plugins.evaluation.takings import takings_of
from plugins.evaluation.truth import expected_visits_on, true_curves
from plugins.evaluation.worlds import StoreWorld, as_shipped_worlds, asked_worlds
from serving.optimise.days_ahead import evenings_of
from serving.optimise.policies import StaticPolicy
from serving.store.storefront import Storefront

WORLDS = as_shipped_worlds()


def test_every_world_has_a_name_of_its_own_and_a_catalog_that_differs_from_all_others() -> None:
    assert len({one.name for one in WORLDS}) == len({one.catalog.fingerprint for one in WORLDS}) == len(WORLDS)
    assert all(one.description and restored(*one.catalog.as_json) == one.catalog for one in WORLDS)
    assert {one.name for one in WORLDS if one.catalog.store.stores != ("S01",)} == {
        "rich and poor stores",
        "new stores",
    }


def test_worlds_with_context_come_last_and_only_in_them_demand_depends_on_time_or_place() -> None:
    dates = [DEFAULT_START + dt.timedelta(days=day) for day in range(19)]  # before budgets fall
    for one in WORLDS:
        days = [(date, store) for date in dates for store in one.catalog.store.stores]
        shifts = np.array([budget_shifts_on(one.catalog, date, store) for date, store in days])
        assert (np.ptp(shifts, axis=(0, 1)).max() > 0.1) == one.has_context, one.name
    assert [one.has_context for one in WORLDS] == sorted(one.has_context for one in WORLDS)
    assert sum(one.has_context for one in WORLDS) == 11


def test_compare_lists_every_world_with_its_group_and_description(capsys: pytest.CaptureFixture[str]) -> None:
    compare.run(listed=True, as_json=True)
    listed = json.loads(capsys.readouterr().out)["worlds"]
    assert [(row["world"], row["context"], row["description"]) for row in listed] == [
        (one.name, "with" if one.has_context else "without", one.description) for one in WORLDS
    ]


def test_compare_lists_in_a_table_only_the_worlds_that_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    compare.run(["poor weeks"], listed=True)
    shown = capsys.readouterr().out
    assert "in every third week, from the second on, budgets are 0.2 lower" in shown
    assert "classic" not in shown


def shifts_by_day(name: str, n_days: int) -> list[float]:
    (one,) = asked_worlds([name])
    dates = [DEFAULT_START + dt.timedelta(days=day) for day in range(n_days)]
    return [round(float(budget_shifts_on(one.catalog, date).mean()), 6) for date in dates]


def test_poor_weeks_come_back_every_third_week() -> None:
    assert shifts_by_day("poor weeks", 42) == [-0.2 if day // 7 in {1, 4} else 0.0 for day in range(42)]


def test_a_slow_fall_takes_a_hundredth_a_day_for_thirty_days() -> None:
    assert shifts_by_day("slow fall", 35) == [-min(day, 30) / 100 for day in range(35)]


def test_on_wednesdays_of_their_world_budgets_are_higher() -> None:
    assert shifts_by_day("rich Wednesdays", 14) == [0.2 if day % 7 == 2 else 0.0 for day in range(14)]


def test_twice_as_many_come_to_one_product_from_the_fifteenth_day() -> None:
    (one,) = asked_worlds(["doubled visits"])
    before, after = (
        expected_visits_on(one.catalog, DEFAULT_START + dt.timedelta(days=day)).sum(axis=1) for day in (13, 14)
    )
    assert after == pytest.approx(before * [2, 1, 1, 1, 1])


def test_wide_prices_reach_from_half_to_twice_the_base_and_forty_products_have_seven_kinds_of_curve() -> None:
    wide, forty = (one.catalog for one in asked_worlds(["wide two kinds", "forty products"]))
    assert price_ladder(wide)[:, [0, -1]] == pytest.approx(wide.base_prices[:, None] * [0.5, 2.0], abs=0.006)
    assert len(forty.products) == 40
    assert len({product.personas for product in forty.products}) == 7


def test_every_catalog_that_ships_as_a_world_can_be_asked_for() -> None:
    folders = {path.name.replace("_", " ") for path in (catalogs.DEFAULT_DIR / "worlds").iterdir() if path.is_dir()}
    assert folders
    assert folders <= {one.name for one in WORLDS}


def test_worlds_come_in_the_order_asked_once_each_and_no_name_means_all() -> None:
    assert [one.name for one in asked_worlds(["two peaks", "classic", "two peaks"])] == ["two peaks", "classic"]
    assert [one.name for one in asked_worlds([])] == [one.name for one in WORLDS]


def test_an_unknown_world_is_refused_with_the_names_and_the_nearest_one() -> None:
    with pytest.raises(DataError, match=r"found 'wide price'; nothing was played\. Did you mean wide prices\?"):
        asked_worlds(["classic", "wide price"])


def test_worlds_on_a_shelf_are_made_of_the_shelf_that_is_given() -> None:
    shelf = load(CLASSIC)
    short = catalogs.Catalog(shelf.products[:2], shelf.store.model_copy(update={"popularity": {}}))
    own = {one.name: one.catalog for one in as_shipped_worlds(short)}
    made = ("classic", "200 visits", "two peaks", "narrow budgets", "own peaks", "cliffs", "hot days", "rich weekends")
    assert {len(own[name].products) for name in made} == {2}
    assert own["narrow budgets"].store.visits_per_day == 600


def test_the_wheel_has_the_catalogs_of_all_worlds(tmp_path: Path) -> None:
    project = Path(catalogs.__file__).parents[1]
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=project, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    there = {path.relative_to(project).as_posix() for path in (catalogs.DEFAULT_DIR / "worlds").rglob("*.yaml")}
    assert there
    assert there <= packed


def test_the_page_on_worlds_lists_every_one_in_order() -> None:
    page = (Path(catalogs.__file__).parents[1] / "docs" / "worlds.md").read_text(encoding="utf-8")
    tables = page.split("## Who lives in them")[0]
    listed = [line.split("`")[1] for line in tables.splitlines() if line.startswith("| `")]
    assert listed == [one.name for one in WORLDS]


def gained(day: StoreDay, catalog: Catalog) -> float:
    """What the units sold brought by the objective, before anything is thrown away."""
    takings = takings_of(day, catalog)
    return takings.revenue_eur if catalog.store.policies.objective == "revenue" else takings.margin_eur


def worth_of_evening(day: StoreDay, catalog: Catalog) -> float:
    """What is left is worth after closing, where stock lives on: tomorrow's sales, less what is thrown away."""
    date = day.business_date
    ahead = evenings_of(catalog, true_curves(catalog, date), expected_visits_on(catalog, date))
    if ahead is None or day.moves is None:
        return 0.0
    left = (day.moves.kept.units + day.moves.spoiled).sum(axis=2)
    return float(sum(own.of_new_units(date)[units].sum() for own, units in zip(ahead, left.T, strict=True)))


@pytest.mark.parametrize("one", WORLDS, ids=lambda one: one.name)
def test_the_clairvoyant_earns_what_it_expects_and_base_prices_leave_something_to_learn(one: StoreWorld) -> None:
    stores, date = [f"T{number:03d}" for number in range(100)], DEFAULT_START + dt.timedelta(days=5 * one.has_context)
    visits = draw_visits(one.catalog, stores, date, 3)
    best = clairvoyant(one.catalog, date)
    policies = (best, StaticPolicy(one.catalog.base_prices))
    days = [meet(one.catalog, Storefront(policy), stores, date, visits) for policy in policies]
    by_best, by_base = ((gained(day, one.catalog) + worth_of_evening(day, one.catalog)) / len(stores) for day in days)
    if not chooses_substitutes(one.catalog):  # what is expected is that of products that sell alone
        by_luck = max(0.015, 2.5 / np.sqrt(len(visits.product)))
        assert by_best == pytest.approx(expected_gain(best, one.catalog, date).sum(), rel=by_luck)
    assert by_base < (1.001 if one.name.startswith("best base prices") else 0.985) * by_best


def test_products_of_a_kind_sell_alike_and_every_seventh_of_them_is_launched_on_day_eight() -> None:
    kinds, launches = (one.catalog for one in asked_worlds(["kinds", "launches"]))
    means: dict[tuple[str, str | None], list[float]] = {}
    for product in kinds.products:
        means.setdefault((product.category, product.tier), []).append(product.personas[0].mean)
    assert len(kinds.products) == 200
    assert len(means) == 30
    within = np.mean([np.var(of_kind) for of_kind in means.values()])
    between = np.var([np.mean(of_kind) for of_kind in means.values()])
    assert between > 2 * within
    launched = {shock.sku for shock in launches.store.shocks}
    assert len(launched) == 29
    assert {shock.through for shock in launches.store.shocks} == {DEFAULT_START + dt.timedelta(days=6)}
    assert {product.category for product in kinds.products if product.sku not in launched} == {
        product.category for product in kinds.products
    }


def test_nobody_comes_to_a_new_store_before_it_opens_and_stores_with_its_tags_have_its_budgets() -> None:
    (chain,) = (one.catalog for one in asked_worlds(["new stores"]))
    stores, opens = chain.store.stores, DEFAULT_START + dt.timedelta(days=7)
    for date, is_open in ((opens - dt.timedelta(days=1), False), (opens, True)):
        visits = draw_visits(chain, stores, date, 3)
        came = visits.starts[:, -1] - visits.starts[:, 0]
        assert (came[:24] > 0).all()
        assert (came[24:] > 0).all() == is_open
        assert (came[24:] == 0).all() != is_open
    for store, like in zip(stores[24:], stores[:6], strict=True):
        assert chain.store.tags[store] == chain.store.tags[like]
        assert np.array_equal(budget_shifts_on(chain, opens, store), budget_shifts_on(chain, opens, like))
    shifts = {float(budget_shifts_on(chain, opens, store)[0, 0]) for store in stores}
    assert len(shifts) == 6
