"""The worlds that ship: each can be loaded, asked for by name, and is what its description says."""

import datetime as dt
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import catalog.load as catalogs
from catalog.errors import DataError
from catalog.load import load
from etl.live.calendar import DEFAULT_START
from evaluation.contestants import clairvoyant
from evaluation.scores import expected_gain, tally
from evaluation.worlds import StoreWorld, as_shipped_worlds, asked_worlds
from serving.policies import StaticPolicy
from serving.storefront import Storefront
from simulation.store_day import meet
from simulation.visits import draw_visits

WORLDS = as_shipped_worlds()


def world(name: str) -> StoreWorld:
    (found,) = asked_worlds([name])
    return found


def test_every_world_has_a_name_of_its_own_one_store_and_a_catalog_that_differs_from_all_others() -> None:
    assert len({one.name for one in WORLDS}) == len({one.catalog.fingerprint for one in WORLDS}) == len(WORLDS)
    assert all(one.description and one.catalog.store.stores == ("S01",) for one in WORLDS)


def test_every_catalog_that_ships_as_a_world_can_be_asked_for() -> None:
    folders = {path.name.replace("_", " ") for path in (catalogs.DEFAULT_DIR / "worlds").iterdir() if path.is_dir()}
    assert folders
    assert folders <= {one.name for one in WORLDS}


def test_worlds_come_in_the_order_asked_once_each_and_no_name_means_all() -> None:
    assert [one.name for one in asked_worlds(["two peaks", "default", "two peaks"])] == ["two peaks", "default"]
    assert [one.name for one in asked_worlds([])] == [one.name for one in WORLDS]


def test_an_unknown_world_is_refused_with_the_names_and_the_nearest_one() -> None:
    with pytest.raises(DataError, match=r"found 'wide price'; nothing was played\. Did you mean wide prices\?"):
        asked_worlds(["default", "wide price"])


def test_worlds_on_a_shelf_are_made_of_the_shelf_that_is_given() -> None:
    shelf = load()
    short = catalogs.Catalog(shelf.products[:2], shelf.store.model_copy(update={"popularity": {}}))
    own = {one.name: one.catalog for one in as_shipped_worlds(short)}
    assert {len(own[name].products) for name in ("default", "200 visits", "two peaks", "narrow budgets")} == {2}
    assert own["narrow budgets"].store.visits_per_day == 600


@pytest.mark.parametrize("name", ["fall in visits", "fall in budgets"])
def test_demand_falls_for_good_on_the_twentieth_day_of_a_new_lake(name: str) -> None:
    (shock,) = world(name).catalog.store.shocks
    assert shock.business_date == DEFAULT_START + dt.timedelta(days=19)
    assert shock.through is not None
    assert shock.through > DEFAULT_START + dt.timedelta(days=3650)
    assert (shock.demand_factor, shock.budget_shift) == ((0.75, 0) if name == "fall in visits" else (1, -0.25))


def test_prices_and_shelves_span_what_they_are_said_to() -> None:
    prices, stock = world("wide prices").catalog.base_prices, world("small shelves").catalog.par_stock
    assert (prices.min(), prices.max()) == (0.19, 499)
    assert (stock.min(), stock.max()) == (3, 20)


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
    listed = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert listed == [one.name for one in WORLDS]


def test_each_world_is_what_its_description_says() -> None:
    own = world("own curves").catalog
    assert len({product.personas for product in own.products}) == len(own.products)
    footfall = world("uneven days").catalog.store.footfall
    assert footfall.day_variation == 0.3
    assert len(set(footfall.weekday_factors)) > 4
    assert world("waiting shoppers").catalog.store.waiting_share == 0.1
    assert len(world("three segments").catalog.store.personas) == 3
    assert all(abs(persona.mean - 1) >= 0.35 for persona in world("rich and poor").catalog.store.personas)


@pytest.mark.parametrize("one", WORLDS, ids=lambda one: one.name)
def test_the_clairvoyant_earns_what_it_expects_and_base_prices_leave_something_to_learn(one: StoreWorld) -> None:
    stores, date = [f"T{number:03d}" for number in range(100)], DEFAULT_START
    visits = draw_visits(one.catalog, stores, date, 3)
    best = clairvoyant(one.catalog, date)
    by_best, by_base = (
        tally(meet(one.catalog, Storefront(policy), stores, date, visits), one.catalog).gain_eur / len(stores)
        for policy in (best, StaticPolicy(one.catalog.base_prices))
    )
    assert by_best == pytest.approx(expected_gain(best, one.catalog, date).sum(), rel=0.015)
    assert by_base < 0.985 * by_best
