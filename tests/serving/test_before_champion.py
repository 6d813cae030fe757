"""A store without a price book: by default it learns from its first visit; asked for, it explores half of the time."""

import datetime as dt

import numpy as np
import pytest

from catalog.decisions.pricing import LearnsWhileSelling
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.records.store import Store
from catalog.settings import Settings
from etl.batches import Batch, play_batch
from etl.load import load_dimensions
from etl.twin.draws import shopper_names
from etl.twin.store_day import play
from features.cells import feature_workbench
from serving.book.make import commit_book, make_book, make_book_again
from serving.store.in_force import pricing_on
from serving.store.storefront import LearningStorefront
from warehouse.lake import Lake
from warehouse.workspace import Workspace

DATE = dt.date(2026, 1, 19)
STORES = tuple(f"T{number:02d}" for number in range(6))


@pytest.fixture
def workspace(settings: Settings) -> Workspace:
    lake = Lake(settings)
    lake.prepare()
    load_dimensions(lake, load(CLASSIC), shopper_names(20, 1))
    return Workspace(settings, load(CLASSIC), lake)


def with_policies(**changes: object) -> Catalog:
    catalog = load(CLASSIC)
    return Catalog(catalog.products, Store.model_validate(catalog.store.model_dump() | changes))


def test_an_empty_lake_is_priced_by_a_belief_that_learns(workspace: Workspace) -> None:
    priced_by = pricing_on(workspace.lake, workspace.catalog, DATE)
    assert isinstance(priced_by.policy, LearnsWhileSelling)
    assert (priced_by.policy.name, priced_by.policy.model_version) == ("stock_aware", None)
    assert priced_by.book_sha256 is None
    day = play(workspace.catalog, priced_by.policy, STORES[:1], DATE, 7)
    assert len(day.lessons) >= 11
    assert (np.diff(day.decisions.prices, axis=0) != 0).any()


@pytest.mark.parametrize("name", ["static", "rule"])
def test_a_policy_that_is_asked_for_explores_half_of_the_time_and_does_not_learn(
    workspace: Workspace, name: str
) -> None:
    policy = pricing_on(workspace.lake, workspace.catalog, DATE, name).policy
    assert not isinstance(policy, LearnsWhileSelling)
    day = play(workspace.catalog, policy, STORES, DATE, 7)
    assert day.lessons == ()
    assert day.policy == name
    in_stock = day.stock > 0
    assert day.decisions.explored[in_stock].mean() == pytest.approx(0.5, abs=0.06)
    assert not day.decisions.explored[~in_stock].any()
    explored = day.decisions.prices[day.decisions.explored]
    assert np.isin(explored, price_ladder(workspace.catalog)).all()


def test_the_catalog_may_choose_a_store_that_does_not_learn(workspace: Workspace) -> None:
    catalog = with_policies(policies={"before_champion": "static"}, exploration={"before_champion": 0.2})
    policy = pricing_on(workspace.lake, catalog, DATE).policy
    assert not isinstance(policy, LearnsWhileSelling)
    decisions = play(catalog, policy, STORES, DATE, 7).decisions
    assert decisions.explored.mean() == pytest.approx(0.2, abs=0.08)


def test_greedy_before_a_champion_learns_too_and_ignores_stock(workspace: Workspace) -> None:
    catalog = with_policies(policies={"with_champion": "greedy"})
    policy = pricing_on(workspace.lake, catalog, DATE).policy
    assert policy.name == "greedy"
    day = play(catalog, policy, STORES[:1], DATE, 7)
    assert len(day.lessons) >= 11
    assert np.isnan(day.decisions.told.unit_value).all()


def test_under_the_kill_switch_nothing_is_learned_and_base_prices_stand(workspace: Workspace) -> None:
    catalog = with_policies(guardrails={"kill_switch": True})
    priced_by = pricing_on(workspace.lake, catalog, DATE)
    assert priced_by.fingerprint == "kill_switch"
    day = play(catalog, priced_by.policy, STORES, DATE, 7)
    assert day.lessons == ()
    assert (day.decisions.prices == catalog.base_prices).all()


def test_a_book_without_a_champion_is_made_from_the_log_and_goes_on_learning(workspace: Workspace) -> None:
    priced_by = pricing_on(workspace.lake, workspace.catalog, DATE)
    play_batch(workspace, Batch(DATE, "g000", STORES), priced_by, 7)
    tomorrow = DATE + dt.timedelta(days=1)
    book = commit_book(workspace.lake, make_book(workspace, None, tomorrow))
    assert book.model_version == "none"
    policy = pricing_on(workspace.lake, workspace.catalog, tomorrow).policy
    assert isinstance(policy, LearningStorefront)
    assert pricing_on(workspace.lake, workspace.catalog, tomorrow).book_made_for == tomorrow
    static = pricing_on(workspace.lake, workspace.catalog, tomorrow, "static").policy
    greedy = pricing_on(workspace.lake, workspace.catalog, tomorrow, "greedy").policy
    assert not isinstance(static, LearnsWhileSelling)
    assert not isinstance(greedy, LearnsWhileSelling)
    assert policy.exploration is not None
    first = priced_by.policy
    assert isinstance(first, LearningStorefront)
    assert first.exploration is not None
    assert policy.exploration.budget is not None
    assert first.exploration.budget is not None
    assert policy.exploration.budget.sum() < first.exploration.budget.sum()


def test_a_book_is_made_again_from_its_belief_with_the_same_bytes(workspace: Workspace) -> None:
    play_batch(workspace, Batch(DATE, "g000", STORES[:2]), pricing_on(workspace.lake, workspace.catalog, DATE), 7)
    tomorrow = DATE + dt.timedelta(days=1)
    commit_book(workspace.lake, make_book(workspace, None, tomorrow))
    before = _bytes_of(workspace.lake)
    assert len(before) == 3
    make_book_again(workspace, tomorrow)
    assert _bytes_of(workspace.lake) == before
    with feature_workbench(workspace.settings) as connection:
        told = connection.execute("select count(*), count(distinct sku) from belief_updates").fetchone()
    assert told is not None
    assert told[1] == 5
    assert told[0] >= 55


def _bytes_of(lake: Lake) -> dict[str, bytes]:
    parts = (part for table in ("beliefs", "demand_curves", "booked_prices") for part in lake.partitions(table))
    return {str(part): lake.path(part).read_bytes() for part in parts}
