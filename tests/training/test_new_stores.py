"""Stores without sales are priced as stores with their tags, where the tags tell the kinds of stores."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from catalog.load import Catalog
from catalog.settings import read_settings
from etl.calendar import DEFAULT_START
from etl.twin.visits import budget_shifts_on
from features.attributes import attributes_of_stores
from features.cells import feature_workbench
from features.prior_forests import PriorForests, StoreForest
from features.stored_model import model_as_data, model_from_data
from plugins.evaluation.living_store import LivingStore
from plugins.evaluation.worlds import asked_worlds
from serving.belief.hearing import kinds_joined
from serving.belief.log import LogEvidence, levels_of_kinds, read_log_evidence
from serving.belief.table import belief_from_table
from serving.book.store import book_in_force, kind_of
from training.fit.prior import fit_store_forest

(WORLD,) = asked_worlds(["new stores"])
CATALOG = WORLD.catalog
NEW = CATALOG.store.stores[-6:]
NIGHTS = 2


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> LivingStore:
    """Return the chain after two days and nights, before six of its stores opened."""
    home = tmp_path_factory.mktemp("chain")
    chain = LivingStore(read_settings({"SHELFPRICE_HOME": str(home)}), CATALOG, 3)
    for day in range(NIGHTS):
        chain.sell(DEFAULT_START + dt.timedelta(days=day))
        chain.night(DEFAULT_START + dt.timedelta(days=day))
    return chain


@pytest.fixture(scope="module")
def evidence(living: LivingStore) -> LogEvidence:
    with feature_workbench(living.workspace.settings) as connection:
        return read_log_evidence(connection, CATALOG, DEFAULT_START + dt.timedelta(days=NIGHTS - 1))


def with_store(**changes: object) -> Catalog:
    return Catalog(CATALOG.products, CATALOG.store.model_copy(update=changes))


def budget_of(store: str) -> float:
    return float(budget_shifts_on(CATALOG, DEFAULT_START, store)[0, 0])


def test_a_store_that_opens_tomorrow_is_of_a_kind_whose_shoppers_have_budgets_like_its_own(living: LivingStore) -> None:
    assert living.champion is not None
    found = book_in_force(living.workspace.lake, DEFAULT_START + dt.timedelta(days=NIGHTS))
    assert found is not None
    assert found.belief is not None
    belief = belief_from_table(found.belief, CATALOG)
    assert len(belief.kinds) > 1
    for store in NEW:
        kind = kind_of(CATALOG, belief, store)
        assert kind is not None
        budgets = [budget_of(like) for like in kind.stores if like not in NEW]
        assert np.mean(budgets) == pytest.approx(budget_of(store), abs=0.12)


def test_the_night_before_says_it_in_the_metrics_of_the_version(living: LivingStore) -> None:
    lake = living.workspace.lake
    newest = max(lake.partitions("model_versions"), key=lambda part: int(part.group.removeprefix("v")))
    (row,) = lake.read(newest).to_pylist()
    assert '"store_share": 1.0' in row["metrics"]


def test_a_stored_forest_of_stores_says_the_same(evidence: LogEvidence) -> None:
    forest = fit_store_forest(CATALOG, evidence.kinds)
    assert forest is not None
    stored = PriorForests.from_plain(model_from_data(model_as_data(PriorForests(stores=forest).plain()))).stores
    assert isinstance(stored, StoreForest)
    table = attributes_of_stores(CATALOG)
    assert np.array_equal(stored.levels(table), forest.levels(table))


def test_without_tags_or_with_few_stores_there_is_no_forest(evidence: LogEvidence) -> None:
    assert fit_store_forest(with_store(tags={}), evidence.kinds) is None
    assert fit_store_forest(with_store(stores=CATALOG.store.stores[:5]), evidence.kinds) is None
    assert fit_store_forest(CATALOG, ()) is None


@pytest.mark.parametrize("seed", range(20))
def test_tags_that_do_not_matter_place_no_store(evidence: LogEvidence, seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(CATALOG.store.stores)
    tags = dict(zip(shuffled.tolist(), CATALOG.store.tags.values(), strict=True))
    chain = with_store(tags=tags)
    forest = fit_store_forest(chain, evidence.kinds)
    assert forest is not None
    table = attributes_of_stores(chain)
    kinds = [kind.stores for kind in evidence.kinds]
    said = pd.Series(forest.levels(table), table.index)
    assert kinds_joined(said, kinds, levels_of_kinds(evidence.kinds)) is None


def test_a_store_joins_the_kind_that_is_nearest_to_what_the_tags_say() -> None:
    is_rich = np.arange(12) % 2 == 1
    said = pd.Series([*np.where(is_rich, 0.9, -0.9), 0.4, -2.0], [f"S{place:02}" for place in range(14)])
    kinds = [[f"S{place:02}" for place in np.flatnonzero(is_rich == kind)] for kind in (False, True)]
    assert kinds_joined(said, kinds, np.array([-1.0, 1.0])) == {"S12": 1, "S13": 0}
