"""Peers that others ship: they play as ours do where their library is installed, and are left out where it is not."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest

from catalog.decisions.pricing import Shelf, Sold
from catalog.load import Catalog
from catalog.records.shoppers import Persona
from etl.twin.visits import draw_visits
from plugins.evaluation.as_shipped.learner_regret import Period, against_best_peer
from plugins.evaluation.as_shipped.lived_days import LEARNERS, AsShipped, AsShippedQuestion, LivedDay
from plugins.evaluation.peers import peer as peers
from plugins.evaluation.peers.known_shelf import known_before_opening
from plugins.evaluation.peers.peer import NAMES, SHIPPED_NAMES, Peer, live_day, missing_libraries, peers_of, store_of
from plugins.evaluation.peers.shipped import bayesianbandits_glm, pybandits_beta
from plugins.evaluation.worlds import asked_worlds

(DEFAULT,) = asked_worlds(["classic"])
MONDAY = dt.date(2026, 1, 5)
NARROW = (Persona(name="all", share=1.0, mean=1.0, standard_deviation=0.02),)


@pytest.fixture(autouse=True)
def _kept_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TF_CPP_MIN_LOG_LEVEL", "TPU_SKIP_MDS_QUERY"):  # a library of pybandits sets them where they are not
        monkeypatch.setenv(name, "1")


def make_beta(catalog: Catalog, seed: int) -> Peer:
    pytest.importorskip("pybandits", reason="pybandits is of the optional extra `peers`")
    return pybandits_beta(catalog, seed)


def make_glm(catalog: Catalog, seed: int) -> Peer:
    pytest.importorskip("bayesianbandits", reason="bayesianbandits is of the optional extra `peers`")
    return bayesianbandits_glm(catalog, seed)


def prices_of_days(catalog: Catalog, peer: Peer, days: int) -> np.ndarray:
    store, shown = store_of(catalog, peer), []
    for day in range(days):
        date = MONDAY + dt.timedelta(days=day)
        played, store = live_day(catalog, store, date, draw_visits(catalog, catalog.store.stores, date, 1))
        shown.append(played.decisions.prices)
    return np.array(shown)


@pytest.mark.parametrize("make", [make_beta, make_glm])
def test_equal_seeds_price_alike_and_within_the_candidates(make: Callable[[Catalog, int], Peer]) -> None:
    first, again, other = (prices_of_days(DEFAULT.catalog, make(DEFAULT.catalog, seed), 1) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    ratios = first / DEFAULT.catalog.base_prices
    assert ratios.min() >= 0.69
    assert ratios.max() <= 1.61
    assert len(np.unique(ratios.round(3))) > 10


@pytest.mark.parametrize("make", [make_beta, make_glm])
def test_prices_that_nobody_pays_are_given_up_within_some_days(make: Callable[[Catalog, int], Peer]) -> None:
    store = DEFAULT.catalog.store.model_copy(update={"personas": NARROW, "visits_per_day": 2_000.0})
    products = tuple(one.model_copy(update={"par_stock": 30_000}) for one in DEFAULT.catalog.products)
    catalog = Catalog(products, store)
    ratios = prices_of_days(catalog, make(catalog, 1), 4) / catalog.base_prices
    assert (ratios[0] > 1.06).mean() > 0.05
    assert (ratios[-1] > 1.06).mean() < 0.5 * (ratios[0] > 1.06).mean()


def test_the_regression_is_told_the_hour_and_the_weekend() -> None:
    peer = make_glm(DEFAULT.catalog, 1)
    shape = (1, len(DEFAULT.catalog.skus))
    last = DEFAULT.catalog.store.opening.ticks - 1
    for tick in (0, last):
        prices = peer.ask(Shelf(np.ones(shape, int), np.full(shape, np.nan), last + 1 - tick, np.ones(shape))).prices
        none = np.zeros(shape, dtype=np.int64)
        peer = peer.learned(Sold(tick, prices, none, none, none))
    assert peer.day == 1  # type: ignore[attr-defined]
    friday, saturday = (known_before_opening(DEFAULT.catalog).time_and_weekend(last, day, 2) for day in (4, 5))
    assert friday[0].tolist() == pytest.approx([1, 0], abs=0.05)
    assert saturday[:, 1].tolist() == [1, 1]


def test_peers_whose_library_is_missing_are_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda _library: None)
    assert tuple(peers_of(DEFAULT.catalog, 1)) == NAMES
    assert missing_libraries() == ["pybandits", "bayesianbandits"]


def test_tables_have_the_learners_that_lived_and_the_best_peer_may_be_one_that_others_ship() -> None:
    gains = dict.fromkeys(LEARNERS, 90.0) | {SHIPPED_NAMES[1]: 97.0}
    days = [LivedDay("classic", name, 1, 1, 1, gain, 100.0) for name, gain in gains.items()]
    question = AsShippedQuestion((DEFAULT,), 1, 1, 1)
    assert AsShipped(question, tuple(days)).learners == list(LEARNERS)
    assert against_best_peer(days, "classic", Period(1, 1))[0] == SHIPPED_NAMES[1]
    without = [day for day in days if day.learner not in SHIPPED_NAMES]
    assert AsShipped(question, tuple(without)).learners == [name for name in LEARNERS if name not in SHIPPED_NAMES]
    assert against_best_peer(without, "classic", Period(1, 1))[0] in NAMES
