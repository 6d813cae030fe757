"""The gate lets a better model through within three nights and keeps a worse one out, on stores that are lived."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from free_prices import freely
from truly_earned import expected_gain

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.settings import read_settings
from etl.batches import batches_of, play_batch
from features.cells import feature_workbench
from flows.workspace import prepared
from plugins.evaluation.memory_registry import MemoryRegistry
from plugins.evaluation.truth import expected_visits_on, true_curves, true_day, true_gain
from plugins.evaluation.worlds import asked_worlds
from serving.belief.log import belief_from, lines_of, read_log_evidence
from serving.book.make import said_beforehand_at, tabulate
from serving.learning.outlook import start_of_day
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import PricingPolicy, policy_with_model
from serving.store.in_force import pricing_on
from training.judge.believed_gain import BelievedGain, believed_gain, prices_of_day, updates_due
from training.night import run_night
from training.schedule import Night
from warehouse.lake import Partition
from warehouse.workspace import Workspace

pytestmark = pytest.mark.play

FIRST = dt.date(2026, 1, 5)


class Store:
    """A store that sells and learns night after night, with its registry in memory."""

    def __init__(self, home: Path, catalog: Catalog) -> None:
        self.workspace: Workspace = prepared(read_settings({"SHELFPRICE_HOME": str(home)}), catalog)
        self.registry = MemoryRegistry()

    def live(self, day: int, seed: int) -> Night:
        """Sell a day and do the night after it."""
        date, catalog = FIRST + dt.timedelta(days=day), self.workspace.catalog
        priced_by = pricing_on(self.workspace.lake, catalog, date)
        for batch in batches_of(catalog, [date], None):
            play_batch(self.workspace, batch, priced_by, seed)
        return run_night(self.workspace, self.registry, date, seed)


def world(name: str, before_champion: str = "belief") -> Catalog:
    (found,) = asked_worlds([name])
    policies = found.catalog.store.policies.model_copy(update={"before_champion": before_champion})
    store = found.catalog.store.model_copy(update={"policies": policies})
    return freely(Catalog(found.catalog.products, store))


@pytest.mark.parametrize("name", ["classic", pytest.param("two peaks", marks=pytest.mark.slow)])
def test_a_model_that_earns_a_fifth_more_than_base_prices_is_champion_within_three_nights(
    tmp_path: Path, name: str
) -> None:
    store = Store(tmp_path, world(name, "static"))
    nights = (store.live(day, seed=3) for day in range(3))
    promoting = next((night for night in nights if night.promoted), None)
    assert promoting is not None
    assert re.search(r"prices from now on: (as good: )?expected to earn [0-9.]+ EUR more", str(promoting.said))


def off_by(catalog: Catalog, odds: float, steeper: float) -> PricingPolicy:
    """Return the policy of a model whose log odds are moved and stretched."""
    truth = true_curves(catalog, FIRST)
    sure = np.clip(truth.p_sale, 1e-4, 1 - 1e-4)
    wrong = 1 / (1 + np.exp(-(steeper * np.log(sure / (1 - sure)) + odds)))
    curves = DemandCurves(catalog.skus, truth.prices, wrong, "1")
    return policy_with_model(catalog, curves, expected_visits_on(catalog, FIRST))


@pytest.mark.parametrize(("odds", "steeper"), [(-1.5, 1.0), (1.0, 1.0), (0.0, 3.0), (0.0, 0.4)])
def test_prices_that_truly_earn_a_percent_less_are_no_first_champion(lived: Store, odds: float, steeper: float) -> None:
    catalog = lived.workspace.catalog
    worse, best = off_by(catalog, odds, steeper), off_by(catalog, 0.0, 1.0)
    truly = expected_gain(worse, catalog, FIRST).sum() / expected_gain(best, catalog, FIRST).sum() - 1
    assert truly < -0.01
    made_for = dt.datetime.combine(FIRST, dt.time(), dt.UTC)
    books = [tabulate(policy, catalog, made_for) for policy in (worse, best)]
    for through in (FIRST, FIRST + dt.timedelta(days=2)):
        with feature_workbench(lived.workspace.settings) as connection:
            seen = read_log_evidence(connection, catalog, through)
            judge = start_of_day(catalog, belief_from(catalog, seen, through + dt.timedelta(days=1))).outlook()
        gain = believed_gain(catalog, judge, *books)
        assert gain.at_least < -0.01 * gain.usual
        assert gain.lower <= 0


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Three days of a store that its belief prices."""
    store = Store(tmp_path_factory.mktemp("lived"), world("classic"))
    for day in range(3):
        store.live(day, seed=5)
    return store


def test_a_night_values_both_books_as_the_days_sales_correct_them(
    lived: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[tuple[Any, ...]]()

    def noted(*given: Any) -> BelievedGain:
        asked.append(given)
        return believed_gain(*given)

    monkeypatch.setattr("training.judge.believed_gain.believed_gain", noted)
    night, lake = lived.live(3, seed=5), lived.workspace.lake
    ((catalog, _, *books, _, _, outlooks),) = asked
    for book, outlook in zip(books, outlooks, strict=True):
        opens = tabulate(outlook.policy, catalog, book.published_at, outlook.curves)
        assert np.array_equal(opens.of().prices, book.of().prices)
    day, updates = true_day(catalog, night.prices_for), updates_due(catalog)
    prices = (
        prices_of_day(book.of().prices, outlook, day, updates) for book, outlook in zip(books, outlooks, strict=True)
    )
    row = lake.read(Partition("model_versions", None, f"v{night.judged_version}")).to_pylist()[0]
    money = json.loads(row["money"])
    shown = money["believed"]
    assert money["off_policy"]["true_gain"] == pytest.approx(true_gain(catalog, night.prices_for, *prices))
    standing = believed_gain(catalog, asked[0][1], *books)
    assert 0 < shown["spread"] < standing.spread


def levels_of(catalog: Catalog) -> Floats:
    """Return how likely a visit to each product buys at the base price, in deviations, shape (n_products,)."""
    return np.array([(own.personas[0].mean - 1) / own.personas[0].standard_deviation for own in catalog.products])


def test_on_a_shelf_of_kinds_a_version_speaks_for_products_that_were_never_sold(tmp_path: Path) -> None:
    catalog = world("kinds")
    few = Catalog(catalog.products[:60], catalog.store.model_copy(update={"visits_per_day": 30.0 * 60}))
    store = Store(tmp_path, few)
    nights = (store.live(day, seed=3) for day in range(4))
    promoted = next((night for night in nights if night.promoted), None)
    assert promoted is not None
    assert promoted.priced_by == promoted.judged_version
    row = store.workspace.lake.read(Partition("model_versions", None, f"v{promoted.judged_version}")).to_pylist()[0]
    assert json.loads(row["metrics"])["product_share"] > 0
    said = store.workspace.lake.read(said_beforehand_at(promoted.prices_for))
    assert np.corrcoef(said["of_product"].to_numpy(), levels_of(few))[0, 1] > 0.4
    model = store.registry.load(str(promoted.judged_version))
    assert model is not None
    newcomers = lines_of(model.prior, catalog)
    assert newcomers is not None
    assert np.corrcoef(newcomers[60:, 0], levels_of(catalog)[60:])[0, 1] > 0.4
