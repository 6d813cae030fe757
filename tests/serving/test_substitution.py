"""Prices of substitutes, held against the joint optimum of a small category, worked out state by state."""

import datetime as dt
import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.arrays import Floats, Ints
from catalog.load import CLASSIC, DEFAULT_DIR, Catalog, load
from catalog.price_ladder import price_ladder
from catalog.pricing import Shelf
from catalog.records.shoppers import Opening, Substitution
from serving.curves import DemandCurves
from serving.exploration import ExplorationPlan, candidates_within, chance_on_budget
from serving.policies import StockAwarePolicy, policy_with_model
from serving.shelf_limits import ShelfLimits
from serving.solve import Worth
from serving.substitution import sales_with_substitutes
from serving.switching import LogitSwitching, Switching
from serving.tabulate import tabulate
from simulation.truth import chance_of_sale, chance_of_switch
from training.same_shoppers import TrueSwitching

WORLD = load(DEFAULT_DIR / "worlds" / "substitutes")
SLOTS = 96  # of a day, each with one visitor at most
PUBLISHED = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
PAIR, THREE = ("MILK", "OAT"), ("MILK", "OAT", "SOY")


def category(skus: tuple[str, ...], stock: tuple[int, ...], strength: float, n_prices: int) -> Catalog:
    """Return a small shelf of substitutes whose day has one tick for each slot."""
    own = {product.sku: product for product in WORLD.products}
    products = tuple(
        own[sku].model_copy(update={"par_stock": units, "substitutes_with": tuple(set(skus) - {sku})})
        for sku, units in zip(skus, stock, strict=True)
    )
    changes = {
        "opening": Opening(opens="08:00", closes="24:00", tick_minutes=10),
        "ladder_prices": n_prices,
        "popularity": {},
        "substitution": Substitution(strength=strength),
    }
    return Catalog(products, WORLD.store.model_copy(update=changes))


@dataclass
class Joint:
    """A category whose stocks are looked at together; `visits` are those of a day to each product."""

    catalog: Catalog
    visits: tuple[float, ...]

    def __post_init__(self) -> None:
        self.ladder = price_ladder(self.catalog)
        self.ratios = self.ladder / self.catalog.base_prices[:, None]
        self.n_products, self.n_prices = self.ladder.shape
        self.actions = np.array(list(itertools.product(range(self.n_prices), repeat=self.n_products)))
        at = np.arange(self.n_products)
        self.gains = self.ladder[at, self.actions] - self.catalog.unit_costs
        self.states = list(itertools.product(*(range(par + 1) for par in self.catalog.par_stock)))
        self.sales = {there: self._sales(np.array(there)) for there in itertools.product([False, True], repeat=len(at))}

    def _sales(self, there: Ints) -> Floats:
        """Return the chance that a slot sells a unit of each product, shape (n_actions, n_products)."""
        ratios = self.ratios[np.arange(self.n_products), self.actions]
        seen, of_action = np.unique(np.where(there, ratios, np.inf), axis=0, return_inverse=True)
        sold = np.zeros(ratios.shape)
        for product, visits in enumerate(self.visits):
            buys = chance_of_sale(self.catalog, ratios[:, product], product=np.array(product)) * there[product]
            taken = chance_of_switch(self.catalog, product, seen[:, product], seen)[of_action.ravel()]
            sold[:, product] += visits / SLOTS * buys
            sold += visits / SLOTS * (1 - buys)[:, None] * taken
        return sold

    def best(self) -> float:
        """Return what the joint optimum earns in a day, EUR."""
        return self._earned(None)

    def of_books(self, best: Ints) -> float:
        """Return what books of single products earn, (n_products, n_levels, n_ticks), by the position of the price."""
        return self._earned(best)

    def _earned(self, books: Ints | None) -> float:
        value = np.zeros([par + 1 for par in self.catalog.par_stock])
        place = self.n_prices ** np.arange(self.n_products)[::-1]
        for tick in range(SLOTS):
            before = value.copy()
            for state in self.states[1:]:
                one_less = [tuple(np.subtract(state, one)) for one in np.eye(self.n_products, dtype=int)]
                kept = np.array([before[state] - before[less] if min(less) >= 0 else 0.0 for less in one_less])
                chosen = slice(None)
                if books is not None:
                    chosen = slice(at := int(books[range(self.n_products), state, tick] @ place), at + 1)
                worth = self.sales[tuple(units > 0 for units in state)][chosen] * (self.gains[chosen] - kept)
                value[state] = before[state] + worth.sum(axis=1).max()
        return float(value[tuple(self.catalog.par_stock)])

    def curves(self, switching: Switching | None) -> DemandCurves:
        chance = chance_of_sale(self.catalog, self.ratios, product=np.arange(self.n_products)[:, None])
        return DemandCurves(self.catalog.skus, self.ladder, chance, "truth", switching=switching)

    def books(self, curves: DemandCurves) -> Ints:
        """Return the price book of the catalog's policy, as positions on the ladder."""
        visits = np.tile(np.array(self.visits)[:, None] / SLOTS, (1, SLOTS))
        policy = policy_with_model(self.catalog, curves, visits)
        assert isinstance(policy, StockAwarePolicy)
        return policy._best.astype(np.int64)


CASES = [
    (PAIR, (6, 6), (15.0, 15.0), 1.0, 12),
    (PAIR, (6, 3), (20.0, 30.0), 3.0, 12),
    (THREE, (4, 3, 3), (12.0, 9.0, 8.0), 1.0, 7),
]


@pytest.mark.parametrize(("skus", "stock", "visits", "strength", "n_prices"), CASES, ids=["pair", "scarce", "three"])
def test_books_that_know_of_substitutes_earn_the_joint_optimum_and_those_that_do_not_lose_much(
    skus: tuple[str, ...], stock: tuple[int, ...], visits: tuple[float, ...], strength: float, n_prices: int
) -> None:
    joint = Joint(category(skus, stock, strength, n_prices), visits)
    no_shift = np.zeros(len(skus))
    together = joint.of_books(joint.books(joint.curves(TrueSwitching(joint.catalog, no_shift))))
    alone = joint.of_books(joint.books(joint.curves(None)))
    best = joint.best()
    assert 0.99 * best < together <= best * (1 + 1e-9)
    assert alone < 0.95 * best


def test_where_nobody_takes_a_substitute_books_are_those_of_products_that_sell_alone() -> None:
    catalog = load(CLASSIC)
    ladder = price_ladder(catalog)
    chance = np.clip(1.4 - ladder / catalog.base_prices[:, None] / 1.3, 0, 1)
    curves = DemandCurves(catalog.skus, ladder, chance, "1")
    visits = np.full((len(catalog.skus), catalog.store.opening.ticks), 3.0)
    assert sales_with_substitutes(catalog, curves, visits, ladder) is None
    nobody = LogitSwitching(WORLD.substitutes, -800.0, 4.0)
    ladder = price_ladder(WORLD)
    chance = np.clip(1.4 - ladder / WORLD.base_prices[:, None] / 1.3, 0, 1)
    alone = DemandCurves(WORLD.skus, ladder, chance, "1")
    books = [
        tabulate(policy_with_model(WORLD, own, visits[:4]), WORLD, PUBLISHED, own)
        for own in (alone, replace(alone, switching=nobody))
    ]
    assert np.array_equal(books[0].prices, books[1].prices)


@settings(deadline=None, max_examples=30)
@given(level=st.floats(-3, 2), slope=st.floats(0.5, 10), scarce=st.floats(0.2, 5))
def test_a_product_without_substitutes_is_priced_as_ever_and_the_others_sell_to_more(
    level: float, slope: float, scarce: float
) -> None:
    ladder = price_ladder(WORLD)
    chance = np.clip(1.4 - ladder / WORLD.base_prices[:, None] / 1.3, 0.01, 1)
    curves = DemandCurves(WORLD.skus, ladder, chance, "1", switching=LogitSwitching(WORLD.substitutes, level, slope))
    visits, gains = np.full((4, WORLD.store.opening.ticks), scarce), ladder - WORLD.unit_costs[:, None]
    found = sales_with_substitutes(WORLD, curves, visits, gains)
    assert found is not None
    bread = WORLD.skus.index("BREAD")
    assert np.array_equal(found.gains[bread], gains[bread])
    assert np.array_equal(found.chances[bread], chance[bread])
    assert (found.beside[bread] == 0).all()
    assert (found.chances >= chance).all()


def test_no_price_is_tried_for_what_it_sells_alone_where_it_takes_from_a_substitute() -> None:
    joint = Joint(category(*CASES[0][:2], strength=1.0, n_prices=12), CASES[0][2])
    curves = joint.curves(TrueSwitching(joint.catalog, np.zeros(2)))
    visits = np.tile(np.array(joint.visits)[:, None] / SLOTS, (1, SLOTS))
    found = sales_with_substitutes(joint.catalog, curves, visits, joint.ladder - joint.catalog.unit_costs[:, None])
    assert found is not None
    best, alone = (joint.books(own)[[0, 1], joint.catalog.par_stock, -1] for own in (curves, joint.curves(None)))
    allowed = np.arange(12) == alone[:, None]
    shelf = Shelf(joint.catalog.par_stock[None], np.full((1, 2), np.nan), SLOTS, np.zeros((1, 2)))
    asked = policy_with_model(joint.catalog, curves, visits).ask(shelf)
    forgone = asked.unit_value + joint.catalog.unit_costs
    chances = []
    for beside in (found.beside, None):
        known = replace(curves, beside=beside)
        plan, limits = ExplorationPlan(0.0, joint.ladder, budget=np.zeros(2), allowed=allowed), ShelfLimits(None, shelf)
        candidates = candidates_within(limits, plan, known)
        worth = Worth(known, asked, forgone, shelf.stock)
        chances.append(chance_on_budget(np.zeros(2), worth, limits, joint.ladder[[0, 1], best][None], candidates))
    assert (chances[0] == 0).all()
    assert (chances[1] > 0).all()
