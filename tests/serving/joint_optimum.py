"""The joint optimum of a small category of substitutes, worked out over the stocks and prices of all its products."""

import itertools
from dataclasses import dataclass

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.ladder import price_ladder
from catalog.load import DEFAULT_DIR, Catalog, load
from catalog.records.shoppers import Opening, Substitution
from plugins.evaluation.truth import chance_of_sale, chance_of_switch
from serving.optimise.curves import DemandCurves, Switching
from serving.optimise.policies import StockAwarePolicy, policy_with_model

WORLD = load(DEFAULT_DIR / "worlds" / "substitutes")
SLOTS = 96  # of a day, each with one visitor at most
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
        return np.moveaxis(policy._solved[0], 0, 2).astype(np.int64)


CASES = [
    (PAIR, (6, 6), (15.0, 15.0), 1.0, 12),
    (PAIR, (6, 3), (20.0, 30.0), 3.0, 12),
    (THREE, (4, 3, 3), (12.0, 9.0, 8.0), 1.0, 7),
]
